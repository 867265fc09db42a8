import type { Audit } from "../../shared/audit/audit.ts";
import { AppError } from "../../shared/errors.ts";
import type { Client, ClientStore } from "../../shared/ports/client-store.ts";
import type { Clock, Ids, PasswordHasher, Randomness } from "../../shared/ports/platform.ts";
import type { UserStore } from "../../shared/ports/user-store.ts";
import { parseClientKeys } from "../oauth/client-keys.ts";
import type { ClientRole } from "../oauth/client-roles.ts";
import { createClientSecret, hashOfSecret } from "../oauth/client-secret.ts";
import { hashOfNobody } from "../users/password-hasher.ts";

export interface CreateClientDeps {
  readonly clients: Pick<ClientStore, "createClient">;
  readonly users: Pick<UserStore, "create">;
  readonly audit: Audit;
  readonly hasher: PasswordHasher;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly randomness: Randomness;
  /** Who does it, as the audit names him. */
  readonly actor: string;
}

export interface ClientRequest {
  readonly name: string;
  readonly roles: readonly ClientRole[];
  /** A JWK Set of public keys; without one the client gets a secret. */
  readonly jwks?: string | undefined;
  /** The sources that its events may name; any unless given. */
  readonly sources?: readonly string[];
}

export interface CreatedClient {
  readonly client: Client;
  /** Told once, and kept nowhere; null for a client that has keys. */
  readonly secret: string | null;
}

const acceptableName = /^[^\p{Cc}\p{Cs}]{1,128}$/u;

/**
 * A client, and the user of its id who carries its roles and its epoch. The client comes first: one without its user may
 * do nothing, and can be seen and deleted. Throws `validation-failed`.
 */
export function createCreateClient(deps: CreateClientDeps) {
  const { clients, users, audit, hasher, clock, ids, randomness } = deps;

  return async function createClient({
    name,
    roles,
    jwks,
    sources = [],
  }: ClientRequest): Promise<CreatedClient> {
    if (!acceptableName.test(name)) {
      throw new AppError(
        "validation-failed",
        "A client's name has 1 to 128 characters, none a control character.",
      );
    }
    if (jwks !== undefined) await parseClientKeys(jwks);
    const secret = jwks === undefined ? createClientSecret(randomness) : null;
    const client: Client = {
      id: ids.uuid(),
      name,
      secretHash: secret && hashOfSecret(secret),
      jwks: jwks ?? null,
      sources,
      createdAtMs: clock.wallMs(),
    };
    await clients.createClient(client);
    await users.create({
      id: client.id,
      email: emailOfClient(client.id),
      passwordHash: await hashOfNobody(hasher, randomness),
      roles,
      externalIds: [],
      createdAtMs: client.createdAtMs,
      isClient: true,
    });
    audit.record({ action: "client.created", actor: deps.actor, object: client.id });
    return { client, secret };
  };
}

export type CreateClient = ReturnType<typeof createCreateClient>;

/** Nobody's: RFC 2606 §2 keeps the domain from ever being one. */
function emailOfClient(id: string): string {
  return `${id}@clients.invalid`;
}
