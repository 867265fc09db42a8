import type { RevocationCode } from "../blacklist/blacklist.ts";
import type { AccessTokenClaims } from "../tokens/claims.ts";
import type { Repeats } from "./count-repeats.ts";

export interface Refusal {
  readonly claims: Pick<AccessTokenClaims, "jti" | "sub" | "exp">;
  readonly code: RevocationCode;
  /** Undefined for an upgrade to a WebSocket, which has none. */
  readonly requestId: string | undefined;
}

/** Takes note that a revoked token was brought: in memory only. */
export type NoteRefusal = (refusal: Refusal) => void;

/** The bearer is not known to be the subject: the actor is nobody. */
export function createNoteRefusal(repeats: Repeats): NoteRefusal {
  return function noteRefusal({ claims: { jti, sub, exp }, code, requestId }) {
    const request = { action: "token.refused", subject: sub, object: jti, reason: code, requestId } as const;
    repeats.note(`token ${jti}`, exp * 1_000, request);
  };
}
