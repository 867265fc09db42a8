import type { Clock, Ids } from "../../shared/ports/platform.ts";
import type { IssueToken } from "../tokens/issue-token.ts";
import type { PrepareTokens } from "../tokens/prepare-tokens.ts";
import type { AuthenticateClient, Origin } from "./authenticate-client.ts";
import type { ClientCredentials } from "./client-credentials.ts";
import { OauthError } from "./oauth-error.ts";

export interface GrantServiceTokenDeps {
  readonly authenticateClient: AuthenticateClient;
  readonly prepareTokens: PrepareTokens;
  readonly issueToken: IssueToken;
  readonly clock: Clock;
  readonly ids: Ids;
}

export interface ServiceTokenRequest {
  readonly credentials: ClientCredentials;
  readonly origin: Origin;
  /** Names of roles; all that the client has unless given. */
  readonly scope?: string | undefined;
}

export interface ServiceToken {
  readonly accessToken: string;
  readonly expiresInSeconds: number;
  /** None for a client without roles: RFC 6749 §3.3 knows no empty scope. */
  readonly scope: string | undefined;
}

/**
 * An access token for a client itself (RFC 6749 §4.4): it carries the epoch of the user of the client's id, so that a
 * deactivation or a deletion cuts it off like anybody's; and a session id of its own. In the order of a sign-in.
 */
export function createGrantServiceToken(deps: GrantServiceTokenDeps) {
  return async function grantServiceToken({
    credentials,
    origin,
    scope,
  }: ServiceTokenRequest): Promise<ServiceToken> {
    // Before the user is read, as at sign-in.
    const readAtMs = deps.clock.wallMs();
    await deps.prepareTokens();
    const { id, epoch, roles: allowed } = await deps.authenticateClient(credentials, origin);
    const roles = scope === undefined ? allowed : rolesIn(scope, allowed);
    const issued = await deps.issueToken({
      user: { id, roles },
      clientId: id,
      sid: deps.ids.uuid(),
      epoch,
      readAtMs,
    });
    return {
      accessToken: issued.accessToken,
      expiresInSeconds: issued.expiresInSeconds,
      scope: roles.length === 0 ? undefined : roles.join(" "),
    };
  };
}

export type GrantServiceToken = ReturnType<typeof createGrantServiceToken>;

/** RFC 6749 §3.3. */
function rolesIn(scope: string, allowed: readonly string[]): readonly string[] {
  const asked = [...new Set(scope.split(" "))];
  if (asked.every((role) => allowed.includes(role))) return asked;
  throw new OauthError("invalid_scope", "The scope names what the client may not have.");
}
