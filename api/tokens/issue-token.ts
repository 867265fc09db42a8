import jwt from "jsonwebtoken";
import type { Ids } from "../../shared/ports/platform.ts";
import type { SessionStore } from "../../shared/ports/session-store.ts";
import type { AccessTokenClaims } from "./claims.ts";
import type { KeySet } from "./keys.ts";

export interface IssueTokenDeps {
  readonly keys: Pick<KeySet, "signing">;
  readonly issuer: string;
  readonly audience: string;
  readonly lifetimeSeconds: number;
  /** RFC 9068 §2.2: who asked for the token, where a request does not say; `quash` for its own sign-in unless given. */
  readonly clientId?: string;
  readonly ids: Ids;
  readonly sessions: Pick<SessionStore, "recordToken">;
}

export interface TokenRequest {
  readonly user: { readonly id: string; readonly roles: readonly string[] };
  /** The client's that asks for a token of its own. */
  readonly clientId?: string;
  readonly sid: string;
  /** The session's. */
  readonly epoch: number;
  /** The clock, read before `prepareTokens` and before the user was. */
  readonly readAtMs: number;
}

export interface IssuedToken {
  readonly accessToken: string;
  readonly expiresInSeconds: number;
  readonly claims: AccessTokenClaims;
}

export const ownClientId = "quash";

/** Signs an access token and records it before it is returned: a token that nobody recorded never leaves. */
export function createIssueToken(deps: IssueTokenDeps) {
  return async function issueToken(request: TokenRequest): Promise<IssuedToken> {
    const { user, sid, epoch, readAtMs } = request;
    const iat = Math.floor(readAtMs / 1000);
    const claims: AccessTokenClaims = {
      iss: deps.issuer,
      aud: deps.audience,
      sub: user.id,
      client_id: request.clientId ?? deps.clientId ?? ownClientId,
      iat,
      exp: iat + deps.lifetimeSeconds,
      jti: deps.ids.uuid(),
      sid,
      epoch,
      roles: [...user.roles],
    };
    const { kid, alg, thumbprint, key } = deps.keys.signing;
    const accessToken = jwt.sign(claims, key, { algorithm: alg, header: { alg, typ: "at+jwt", kid } });
    await deps.sessions.recordToken({
      jti: claims.jti,
      subject: claims.sub,
      sid,
      epoch,
      issuedAtMs: readAtMs,
      expiresAtMs: claims.exp * 1000,
      revokedBy: null,
      key: { kid, alg, thumbprint },
    });
    return { accessToken, expiresInSeconds: deps.lifetimeSeconds, claims };
  };
}

export type IssueToken = ReturnType<typeof createIssueToken>;
