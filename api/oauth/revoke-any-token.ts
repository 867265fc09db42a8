import { AppError } from "../../shared/errors.ts";
import type { SessionStore } from "../../shared/ports/session-store.ts";
import type { AccessTokenClaims } from "../tokens/claims.ts";
import { ownClientId } from "../tokens/issue-token.ts";
import type { VerifyToken } from "../tokens/verify-token.ts";
import type { EndUserSession } from "../users/end-user-session.ts";
import { isOfSession, parseRefreshToken, type RefreshToken } from "../users/refresh-token.ts";
import type { RevokeToken } from "../users/revoke-token.ts";
import { type Caller, isOperator } from "./caller.ts";
import { OauthError } from "./oauth-error.ts";

export interface RevokeAnyTokenDeps {
  readonly sessions: Pick<SessionStore, "findSession">;
  /** Of the genuine, whatever the time: one that is expired here may be accepted elsewhere. */
  readonly verifyWhenever: VerifyToken;
  readonly revokeToken: RevokeToken;
  readonly endUserSession: EndUserSession;
}

interface Asking extends Caller {
  readonly requestId?: string | undefined;
}

const reason = "revoked by a client";

/**
 * Revokes what a client shows (RFC 7009 §2): an access token by itself, a refresh token with its session. A text that is
 * no token of ours, or not any more, needs no revocation. Throws `unauthorized_client` for a token that was given to
 * another client, unless the caller may revoke everybody's.
 */
export function createRevokeAnyToken(deps: RevokeAnyTokenDeps) {
  async function revokeRefreshToken(given: RefreshToken, caller: Asking): Promise<void> {
    const session = await deps.sessions.findSession(given.sid);
    if (!session || !isOfSession(given, session.refreshHash)) return;
    requireOwn(ownClientId, caller);
    const { subject: userId, sid } = session;
    const told = { actor: caller.id, reason, requestId: caller.requestId };
    await deps.endUserSession({ userId, sid, ...told, isAdministrators: true });
  }

  async function revokeAccessToken(
    { jti, client_id: clientId }: AccessTokenClaims,
    caller: Asking,
  ): Promise<void> {
    requireOwn(clientId, caller);
    try {
      const isBounded = !isOperator(caller);
      const asked = { actor: caller.id, reason, requestId: caller.requestId };
      await deps.revokeToken({ jti, ...asked, isBounded, alsoExpired: true });
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "not-found") throw error;
    }
  }

  function claimsOf(token: string): AccessTokenClaims | null {
    try {
      return deps.verifyWhenever(token);
    } catch (error) {
      if (error instanceof AppError && error.rule.challenge === "invalid_token") return null;
      throw error;
    }
  }

  return async function revokeAnyToken(token: string, caller: Asking): Promise<void> {
    const refreshToken = parseRefreshToken(token);
    if (refreshToken !== null) return revokeRefreshToken(refreshToken, caller);
    const claims = claimsOf(token);
    if (claims !== null) await revokeAccessToken(claims, caller);
  };
}

export type RevokeAnyToken = ReturnType<typeof createRevokeAnyToken>;

function requireOwn(clientId: string, caller: Caller): void {
  if (clientId === caller.id || isOperator(caller)) return;
  throw new OauthError(
    "unauthorized_client",
    "The token was given to another client; an operator may revoke it.",
  );
}
