import type { IncomingMessage } from "node:http";
import { AppError } from "../../shared/errors.ts";

const formType = /^application\/x-www-form-urlencoded *(?:;|$)/i;

/** Whether the body is of the type that RFC 6750 §2.2 lets carry a token, and the header has one already. */
export function mayHoldToken({ headers }: Pick<IncomingMessage, "headers">): boolean {
  return headers.authorization !== undefined && formType.test(headers["content-type"] ?? "");
}

/** RFC 6750 §2: a token is sent in one way. Throws `auth-ambiguous`. */
export function refuseTokenInForm(body: Uint8Array): void {
  if (!new URLSearchParams(Buffer.from(body).toString("latin1")).has("access_token")) return;
  throw new AppError("auth-ambiguous", "Send the token in the Authorization header, and in no form.");
}
