import type { Client, UsedAssertion } from "../ports/client-store.ts";

/** Every public method is one atomic step. */
export class InProcessClients {
  readonly #clients = new Map<string, Client>();
  readonly #assertions = new Map<string, number>();

  createClient(client: Client): void {
    if (this.#clients.has(client.id)) throw new Error("two clients got one id");
    this.#clients.set(client.id, client);
  }

  findClient(id: string): Client | null {
    return this.#clients.get(id) ?? null;
  }

  listClients({ after = "", limit }: { after?: string; limit: number }): Client[] {
    return [...this.#clients.values()]
      .filter(({ id }) => id > after)
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      .slice(0, limit);
  }

  deleteClient(id: string): boolean {
    return this.#clients.delete(id);
  }

  useAssertion({ key, expiresAtMs }: UsedAssertion): boolean {
    if (this.#assertions.has(key)) return false;
    this.#assertions.set(key, expiresAtMs);
    return true;
  }

  purgeAssertions(expiredBeforeMs: number, limit: number): number {
    let gone = 0;
    for (const [key, expiresAtMs] of this.#assertions) {
      if (gone >= limit) break;
      if (expiresAtMs >= expiredBeforeMs) continue;
      this.#assertions.delete(key);
      gone += 1;
    }
    return gone;
  }
}
