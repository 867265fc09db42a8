import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import type { Client, ClientStore } from "../../shared/ports/client-store.ts";
import type { Databases } from "./database.contract.ts";

const client: Client = {
  id: "c1",
  name: "a service",
  secretHash: "hash",
  jwks: null,
  sources: [],
  createdAtMs: 1_000,
};

export function clientStoreContract(databases: () => Databases): void {
  describe("clients", () => {
    let clients: ClientStore;
    let elsewhere: ClientStore;

    beforeEach(() => {
      clients = databases().one.clients;
      elsewhere = databases().other.clients;
    });

    it("finds a client as it was created, on every connection", async () => {
      const withKeys = {
        ...client,
        id: "c2",
        secretHash: null,
        jwks: '{"keys":[]}',
        sources: ["/hr", "/idp"],
      };
      await clients.createClient(client);
      await clients.createClient(withKeys);

      expect(await elsewhere.findClient("c1")).to.deep.equal(client);
      expect(await elsewhere.findClient("c2")).to.deep.equal(withKeys);
      expect(await clients.findClient("c3")).to.equal(null);
    });

    it("lists them by their ids, page by page", async () => {
      for (const id of ["c3", "c1", "c2"]) await clients.createClient({ ...client, id });
      const list = async (limit: number, after?: string) =>
        (await elsewhere.listClients({ limit, ...(after !== undefined && { after }) })).map(({ id }) => id);

      expect(await list(9)).to.deep.equal(["c1", "c2", "c3"]);
      expect(await list(2)).to.deep.equal(["c1", "c2"]);
      expect(await list(2, "c2")).to.deep.equal(["c3"]);
    });

    it("deletes one, and says when there is none", async () => {
      await clients.createClient(client);

      expect(await elsewhere.deleteClient("c1")).to.equal(true);
      expect(await clients.deleteClient("c1")).to.equal(false);
      expect(await clients.findClient("c1")).to.equal(null);
    });

    it("takes an assertion once, of many who bring it at once", async () => {
      const uses = Array.from({ length: 8 }, (_, index) =>
        (index % 2 === 0 ? clients : elsewhere).useAssertion({ key: "a1", expiresAtMs: 9_000 }),
      );

      expect((await Promise.all(uses)).filter((isFirst) => isFirst)).to.have.lengthOf(1);
      expect(await elsewhere.useAssertion({ key: "a1", expiresAtMs: 9_000 })).to.equal(false);
      expect(await elsewhere.useAssertion({ key: "a2", expiresAtMs: 9_000 })).to.equal(true);
    });

    it("purges expired assertions, at most as many as it was told", async () => {
      for (const [index, expiresAtMs] of [1_000, 2_000, 2_999, 3_000].entries()) {
        await clients.useAssertion({ key: `a${index}`, expiresAtMs });
      }

      expect(await elsewhere.purgeAssertions(3_000, 2)).to.equal(2);
      expect(await elsewhere.purgeAssertions(3_000, 2)).to.equal(1);
      expect(await elsewhere.purgeAssertions(3_000, 2)).to.equal(0);
      expect(await clients.useAssertion({ key: "a3", expiresAtMs: 3_000 })).to.equal(false);
    });
  });
}
