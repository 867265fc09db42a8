import type { IncomingMessage } from "node:http";
import { AppError } from "../../shared/errors.ts";
import { headerValues } from "../middleware/header-values.ts";

/** Bare, as nearly everybody sends it, or as a structured field's string (draft-ietf-httpapi-idempotency-key-header §2.1). */
const wellFormed =
  /^(?:"([\x21\x23-\x5b\x5d-\x7e]{1,128})"|([\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{1,128}))$/;

/** Undefined when there is none. Throws `request-malformed`. */
export function idempotencyKeyOf(request: Pick<IncomingMessage, "rawHeaders">): string | undefined {
  const values = headerValues(request, "idempotency-key");
  if (values.length === 0) return undefined;
  const [, quoted, bare] = wellFormed.exec(values.join(", ")) ?? [];
  const key = quoted ?? bare;
  if (key !== undefined) return key;
  throw new AppError(
    "request-malformed",
    "Send one Idempotency-Key of 1 to 128 visible ASCII characters, such as a UUID.",
  );
}
