import { createHash } from "node:crypto";
import { AppError } from "../errors.ts";
import type { QuashEvent } from "./event.ts";

/** Of what an upstream event says, that which makes it another one: nothing that applying it changes, and no times. */
export function contentOf({ type, subject, details: { external, jti } }: QuashEvent): string {
  const said = [type, subject ?? null, external?.iss ?? null, external?.sub ?? null, jti ?? null];
  return createHash("sha256").update(JSON.stringify(said)).digest("base64url");
}

interface WithContent {
  readonly content: string | null;
}

/**
 * Throws `idempotency-conflict` where one (source, id) was used for two events. Rows of earlier versions, and those of
 * own events, have no content.
 */
export function requireSameEvent(known: WithContent, received: WithContent): void {
  if (known.content === null || received.content === null || known.content === received.content) return;
  throw new AppError(
    "idempotency-conflict",
    "This source has used the id for another event; give each event an id of its own.",
  );
}
