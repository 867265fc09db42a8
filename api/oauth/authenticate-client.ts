import { createHash } from "node:crypto";
import type { Client, ClientStore } from "../../shared/ports/client-store.ts";
import type { Clock } from "../../shared/ports/platform.ts";
import type { User, UserStore } from "../../shared/ports/user-store.ts";
import type { NoteClientFailure } from "../audit/client-failures.ts";
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
  readonly noteFailure: NoteClientFailure;
}

/** Where an attempt comes from. */
export interface Origin {
  readonly address: string;
  readonly requestId: string;
}

/**
 * Who the client is: the user of its id, read after its secret or its assertion was found good. Throws
 * `invalid_client`, the same for an unknown client, a wrong secret, a used assertion, and one that is deactivated.
 */
export function createAuthenticateClient(deps: AuthenticateClientDeps) {
  const { clients, users, clock } = deps;

  const find = (id: string | null): Promise<Client | null> =>
    id !== null && uuidPattern.test(id) ? clients.findClient(id) : Promise.resolve(null);

  const claimed = (credentials: ClientCredentials): Promise<Client | null> =>
    find(
      credentials.method === "client_secret_basic" ? credentials.id : claimedClientOf(credentials.assertion),
    );

  async function isProven(client: Client | null, credentials: ClientCredentials): Promise<boolean> {
    if (credentials.method === "client_secret_basic") {
      return isSecretOf(client?.secretHash, credentials.secret);
    }
    const { assertion, id } = credentials;
    if (!client?.jwks || (id ?? client.id) !== client.id) return false;
    const { clockToleranceSeconds, audiences } = deps;
    const verified = verifyAssertion(assertion, {
      clientId: client.id,
      keys: await parseClientKeys(client.jwks),
      audiences,
      nowSeconds: Math.floor(clock.wallMs() / 1_000),
      clockToleranceSeconds,
    });
    if (!verified) return false;
    const key = keyOf(client.id, verified.jti);
    return clients.useAssertion({ key, expiresAtMs: (verified.exp + clockToleranceSeconds) * 1_000 });
  }

  return async function authenticateClient(
    credentials: ClientCredentials,
    { requestId }: Origin,
  ): Promise<User> {
    const client = await claimed(credentials);
    const isGood = await isProven(client, credentials);
    const user = client !== null && isGood ? await users.findById(client.id) : null;
    if (user?.status === "active") return user;
    deps.noteFailure({ clientId: client?.id ?? null, requestId });
    throw invalidClient();
  };
}

export type AuthenticateClient = ReturnType<typeof createAuthenticateClient>;

function keyOf(clientId: string, jti: string): string {
  return createHash("sha256")
    .update(JSON.stringify([clientId, jti]))
    .digest("base64url");
}
