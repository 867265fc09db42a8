import type { SessionStore } from "../../shared/ports/session-store.ts";
import type { AccessTokenClaims } from "../tokens/claims.ts";
import { createEndSession, type EndSessionDeps } from "./end-session.ts";

export interface SignOutSessionDeps extends EndSessionDeps {
  readonly sessions: Pick<SessionStore, "endSession" | "findToken">;
}

/** The holder's own sign-out: his session and all its tokens, the one he sends among them. Idempotent. */
export function createSignOutSession(deps: SignOutSessionDeps) {
  const endSession = createEndSession(deps);

  return async function signOutSession(
    claims: Pick<AccessTokenClaims, "sub" | "sid" | "jti" | "exp">,
  ): Promise<void> {
    const token = await deps.sessions.findToken(claims.jti);
    if (token && token.revokedBy !== null) return;
    await endSession(claims.sub, claims.sid, { jti: claims.jti, exp: claims.exp, actor: claims.sub });
  };
}

export type SignOutSession = ReturnType<typeof createSignOutSession>;
