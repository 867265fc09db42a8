import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import type { Removal, Safeguards } from "../../shared/ports/safeguards.ts";
import type { Databases } from "./database.contract.ts";

export function safeguardsContract(databases: () => Databases): void {
  describe("safeguards", () => {
    let one: Safeguards;
    let other: Safeguards;

    beforeEach(() => {
      one = databases().one.safeguards;
      other = databases().other.safeguards;
    });

    const count = (safeguards: Safeguards, users: readonly string[], source = "/hr") =>
      safeguards.countUsers({ source, users, most: 3 });

    describe("countUsers", () => {
      it("lets as many through as it is told, over all connections, and nobody beyond", async () => {
        expect(await count(one, ["a", "b"])).to.deep.equal([true, true]);
        expect(await count(other, ["c", "d"])).to.deep.equal([true, false]);
        expect(await count(one, ["e"])).to.deep.equal([false]);
      });

      it("counts a user once, and answers as before when he is counted again", async () => {
        await count(one, ["a", "b", "a", "c"]);
        await count(one, ["d"]);

        expect(await count(other, ["a", "d", "c"])).to.deep.equal([true, false, true]);
      });

      it("counts each source by itself", async () => {
        await count(one, ["a", "b", "c", "d"]);

        expect(await count(other, ["e"], "/payroll")).to.deep.equal([true]);
      });

      it("loses nobody of many that are counted at the same time", async () => {
        const users = Array.from({ length: 12 }, (_, at) => `u${at}`);
        const areWithin = await Promise.all(
          users.map((user, at) => count(at % 2 === 0 ? one : other, [user])),
        );

        expect(areWithin.flat().filter(Boolean)).to.have.lengthOf(3);
      });

      it("tells long and strange names apart", async () => {
        const source = `/${"ü".repeat(1_000)}`;
        const users = ["$a.b", `${"x".repeat(1_000)}1`, `${"x".repeat(1_000)}2`, "__proto__"];

        expect(await count(one, users, source)).to.deep.equal([true, true, true, false]);
      });
    });

    describe("purgeCounts", () => {
      it("forgets the sources that counted nobody since, and no other", async () => {
        await count(one, ["a", "b", "c"]);

        expect(await other.purgeCounts(Date.UTC(2000, 0, 1), 10)).to.equal(0);
        expect(await count(one, ["d"])).to.deep.equal([false]);
        expect(await other.purgeCounts(Date.UTC(9000, 0, 1), 10)).to.equal(1);
        expect(await count(one, ["d"])).to.deep.equal([true]);
      });
    });

    describe("removals", () => {
      const removal = (claim: string): Removal => ({ claim, userId: `user of ${claim}`, beganAtMs: 1_000 });

      it("is none at first, and the one that was begun on every connection", async () => {
        expect(await one.readRemoval()).to.equal(null);

        expect(await one.beginRemoval(removal("x"), null)).to.equal(true);
        expect(await other.readRemoval()).to.deep.equal(removal("x"));
      });

      it("begins one of many that begin at the same time", async () => {
        const begun = await Promise.all(
          ["a", "b", "c", "d"].map((claim, at) =>
            (at % 2 === 0 ? one : other).beginRemoval(removal(claim), null),
          ),
        );

        expect(begun.filter(Boolean)).to.have.lengthOf(1);
      });

      it("takes the place of the one that was read, and of no other", async () => {
        await one.beginRemoval(removal("x"), null);

        expect(await other.beginRemoval(removal("y"), null)).to.equal(false);
        expect(await other.beginRemoval(removal("y"), removal("z"))).to.equal(false);
        expect(await other.beginRemoval(removal("y"), removal("x"))).to.equal(true);
        expect(await one.readRemoval()).to.deep.equal(removal("y"));
      });

      it("is ended by its own claim only", async () => {
        await one.beginRemoval(removal("x"), null);
        await other.endRemoval("y");
        expect(await one.readRemoval()).to.deep.equal(removal("x"));

        await other.endRemoval("x");
        expect(await one.readRemoval()).to.equal(null);
        expect(await one.beginRemoval(removal("y"), null)).to.equal(true);
      });
    });
  });
}
