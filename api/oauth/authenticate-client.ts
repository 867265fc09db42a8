import { createHash } from "node:crypto";
import type { Client, ClientStore } from "../../shared/ports/client-store.ts";
import type { Clock } from "../../shared/ports/platform.ts";
import type { User, UserStore } from "../../shared/ports/user-store.ts";
import { uuidPattern } from "../routes/patterns.ts";
import { claimedClientOf, verifyAssertion } from "../tokens/verify-assertion.ts";
import type { ClientCredentials } from "./client-credentials.ts";
import { parseClientKeys } from "./client-keys.ts";
import { isSecretOf } from "./client-secret.ts";
import { invalidClient } from "./oauth-error.ts";

export interface AuthenticateClientDeps {
  readonly clients: Pick<ClientStore, "findClient" | "useAssertion">;
  readonly users: Pick<UserStore, "findById">;
  readonly clock: Clock;
  /** What an assertion may be meant for: the issuer, and the address of the token endpoint (RFC 7523 §3). */
  readonly audiences: readonly string[];
  readonly clockToleranceSeconds: number;
}

/**
 * Who the client is: the user of its id, read after its secret or its assertion was found good. Throws
 * `invalid_client`, the same for an unknown client, a wrong secret, a used assertion, and one that is deactivated.
 */
export function createAuthenticateClient(deps: AuthenticateClientDeps) {
  const { clients, users, clock } = deps;

  const find = (id: string | null): Promise<Client | null> =>
    id !== null && uuidPattern.test(id) ? clients.findClient(id) : Promise.resolve(null);

  async function bySecret({ id, secret }: { readonly id: string; readonly secret: string }): Promise<Client> {
    const client = await find(id);
    if (!isSecretOf(client?.secretHash, secret) || client === null) throw invalidClient();
    return client;
  }

  async function byAssertion(assertion: string, claimedId: string | undefined): Promise<Client> {
    const client = await find(claimedClientOf(assertion));
    if (!client?.jwks || (claimedId ?? client.id) !== client.id) throw invalidClient();
    const { clockToleranceSeconds, audiences } = deps;
    const verified = verifyAssertion(assertion, {
      clientId: client.id,
      keys: await parseClientKeys(client.jwks),
      audiences,
      nowSeconds: Math.floor(clock.wallMs() / 1_000),
      clockToleranceSeconds,
    });
    if (!verified) throw invalidClient();
    const key = keyOf(client.id, verified.jti);
    const expiresAtMs = (verified.exp + clockToleranceSeconds) * 1_000;
    if (!(await clients.useAssertion({ key, expiresAtMs }))) throw invalidClient();
    return client;
  }

  return async function authenticateClient(credentials: ClientCredentials): Promise<User> {
    const client =
      credentials.method === "client_secret_basic"
        ? await bySecret(credentials)
        : await byAssertion(credentials.assertion, credentials.id);
    const user = await users.findById(client.id);
    if (user?.status !== "active") throw invalidClient();
    return user;
  };
}

export type AuthenticateClient = ReturnType<typeof createAuthenticateClient>;

function keyOf(clientId: string, jti: string): string {
  return createHash("sha256")
    .update(JSON.stringify([clientId, jti]))
    .digest("base64url");
}
