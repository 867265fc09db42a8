import { type CreateClientDeps, createCreateClient } from "../api/clients/create-client.ts";

export interface EmbeddedClient {
  readonly id: string;
  readonly secret: string;
}

/** A client that may introspect and revoke every token. */
export async function createOperator(deps: CreateClientDeps): Promise<EmbeddedClient> {
  const createClient = createCreateClient(deps);
  const { client, secret } = await createClient({ name: "operator", roles: ["operator"] });
  if (secret === null) throw new TypeError("a client without keys has a secret");
  return { id: client.id, secret };
}
