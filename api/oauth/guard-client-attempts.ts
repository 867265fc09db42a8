import { networkOf } from "../abuse/client-address.ts";
import type { FailureLimiter } from "../abuse/failure-limiter.ts";
import { claimedClientOf } from "../tokens/verify-assertion.ts";
import type { AuthenticateClient } from "./authenticate-client.ts";
import type { ClientCredentials } from "./client-credentials.ts";
import { OauthError } from "./oauth-error.ts";

/** Counts failures by the address and by the client that is claimed; too many of them are `rate-limited`. */
export function guardClientAttempts(
  failureLimiter: FailureLimiter,
  authenticateClient: AuthenticateClient,
): AuthenticateClient {
  return (credentials, origin) => {
    const client = claimedIdOf(credentials);
    const keys = { address: networkOf(origin.address), ...(client !== null && { client }) };
    return failureLimiter.guard(keys, () => authenticateClient(credentials, origin), isInvalidClient);
  };
}

function claimedIdOf(credentials: ClientCredentials): string | null {
  return credentials.method === "client_secret_basic"
    ? credentials.id
    : claimedClientOf(credentials.assertion);
}

function isInvalidClient(error: unknown): boolean {
  return error instanceof OauthError && error.code === "invalid_client";
}
