import type { ClientStore } from "../../shared/ports/client-store.ts";
import type { UserStore } from "../../shared/ports/user-store.ts";

export interface ListClientsDeps {
  readonly clients: Pick<ClientStore, "listClients">;
  readonly users: Pick<UserStore, "findMany">;
}

/** As it is printed: nothing in it is secret. */
export interface ListedClient {
  readonly client_id: string;
  readonly name: string;
  readonly roles: readonly string[];
  /** Empty: its events may name any source. */
  readonly sources: readonly string[];
  readonly status: string;
  readonly authentication: "client_secret_basic" | "private_key_jwt";
  readonly created_at: string;
}

const pageLength = 100;

/** All of them, page by page. One whose user has gone may do nothing, and is `deleted`. */
export async function* listClients({ clients, users }: ListClientsDeps): AsyncGenerator<ListedClient> {
  for (let after = ""; ; ) {
    const page = await clients.listClients({ after, limit: pageLength });
    const found = await users.findMany(page.map(({ id }) => id));
    const userOf = new Map(found.map((user) => [user.id, user]));
    for (const { id, name, jwks, sources, createdAtMs } of page) {
      yield {
        client_id: id,
        name,
        roles: userOf.get(id)?.roles ?? [],
        sources,
        status: userOf.get(id)?.status ?? "deleted",
        authentication: jwks === null ? "client_secret_basic" : "private_key_jwt",
        created_at: new Date(createdAtMs).toISOString(),
      };
    }
    const last = page.at(-1);
    if (last === undefined || page.length < pageLength) return;
    after = last.id;
  }
}
