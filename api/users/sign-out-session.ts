import type { AccessTokenClaims } from "../tokens/claims.ts";
import { createEndSession, type EndSessionDeps } from "./end-session.ts";

/**
 * The holder's own sign-out: his session and all its tokens, the one he sends among them, whether or not that one has
 * been revoked already. Idempotent.
 */
export function createSignOutSession(deps: EndSessionDeps) {
  const endSession = createEndSession(deps);

  return async function signOutSession(
    { sub, sid, jti, exp }: Pick<AccessTokenClaims, "sub" | "sid" | "jti" | "exp">,
    requestId?: string,
  ): Promise<void> {
    await endSession({ userId: sub, sid }, { jti, exp, actor: sub, requestId });
  };
}

export type SignOutSession = ReturnType<typeof createSignOutSession>;
