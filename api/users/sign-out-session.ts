import type { AccessTokenClaims } from "../tokens/claims.ts";
import { createEndSession, type EndSessionDeps } from "./end-session.ts";

/**
 * The holder's own sign-out: his session and all its tokens, the one he sends among them, whether or not that one has
 * been revoked already. Idempotent.
 */
export function createSignOutSession(deps: EndSessionDeps) {
  const endSession = createEndSession(deps);

  return async function signOutSession(
    claims: Pick<AccessTokenClaims, "sub" | "sid" | "jti" | "exp">,
  ): Promise<void> {
    await endSession(
      { userId: claims.sub, sid: claims.sid },
      { jti: claims.jti, exp: claims.exp, actor: claims.sub },
    );
  };
}

export type SignOutSession = ReturnType<typeof createSignOutSession>;
