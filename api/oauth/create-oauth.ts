import type { Log } from "../../shared/log.ts";
import type { Metrics } from "../../shared/metrics.ts";
import type { Database } from "../../shared/ports/database.ts";
import type { Clock, Ids } from "../../shared/ports/platform.ts";
import type { ClientAddress } from "../abuse/client-address.ts";
import type { FailureLimiter } from "../abuse/failure-limiter.ts";
import type { NoteClientFailure } from "../audit/client-failures.ts";
import type { NoteRefusal } from "../audit/refusals.ts";
import type { Blacklist } from "../blacklist/blacklist.ts";
import { createRefuseIfRevoked } from "../middleware/reject-revoked.ts";
import type { FreshFeed } from "../middleware/require-fresh.ts";
import { createAcceptToken } from "../tokens/accept-token.ts";
import type { IssueToken } from "../tokens/issue-token.ts";
import type { PrepareTokens } from "../tokens/prepare-tokens.ts";
import type { VerifyOnce } from "../tokens/verify-once.ts";
import { createVerifyToken, type VerifyTokenDeps } from "../tokens/verify-token.ts";
import type { UseCases } from "../users/create-use-cases.ts";
import { createAuthenticateClient } from "./authenticate-client.ts";
import { createReadCaller } from "./caller.ts";
import { createGrantServiceToken } from "./grant-service-token.ts";
import { guardClientAttempts } from "./guard-client-attempts.ts";
import { createIntrospectToken } from "./introspect-token.ts";
import { createMetadata, endpointOf, metadataPathsOf, tokenPath } from "./metadata.ts";
import { createRevokeAnyToken } from "./revoke-any-token.ts";

export interface OauthDeps extends VerifyTokenDeps {
  readonly database: Pick<Database, "clients" | "users" | "sessions">;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly feed: FreshFeed;
  readonly tokens: Pick<VerifyOnce, "verify">;
  readonly blacklist: Pick<Blacklist, "isRevoked">;
  readonly metrics: Pick<Metrics, "checks" | "acceptedChecks">;
  readonly noteRefusal: NoteRefusal;
  readonly noteClientFailure: NoteClientFailure;
  readonly failureLimiter: FailureLimiter;
  readonly clientAddress: ClientAddress;
  readonly issueToken: IssueToken;
  readonly prepareTokens: PrepareTokens;
  readonly useCases: Pick<UseCases, "revokeToken" | "endUserSession">;
}

/** Everything that OAuth clients can do. */
export function createOauth(deps: OauthDeps) {
  const { issuer, database, useCases } = deps;
  const refuseIfRevoked = createRefuseIfRevoked(deps);
  const acceptToken = createAcceptToken({ ...deps, refuseIfRevoked });
  const audiences = [issuer, endpointOf(issuer, tokenPath)];
  // The one place through which every attempt of a client to say who it is goes.
  const authenticateClient = guardClientAttempts(
    deps.failureLimiter,
    createAuthenticateClient({ ...deps, ...database, audiences, noteFailure: deps.noteClientFailure }),
  );
  return {
    log: deps.log,
    clientAddress: deps.clientAddress,
    readCaller: createReadCaller({ authenticateClient, acceptToken }),
    grantServiceToken: createGrantServiceToken({ ...deps, authenticateClient }),
    introspectToken: createIntrospectToken(acceptToken),
    revokeAnyToken: createRevokeAnyToken({
      ...useCases,
      sessions: database.sessions,
      verifyWhenever: createVerifyToken({ ...deps, clockToleranceSeconds: Infinity }),
    }),
    metadata: createMetadata(issuer),
    metadataPaths: metadataPathsOf(issuer),
  };
}

export type Oauth = ReturnType<typeof createOauth>;
