import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import type { Ledger } from "../../shared/ports/ledger.ts";
import type { Databases } from "./database.contract.ts";

const usual = { tokenLifetimeSeconds: 900, maxStalenessMs: 5_000 };

export function fenceContract(databases: () => Databases): void {
  describe("fence", () => {
    let ledger: Ledger;
    let elsewhere: Ledger;

    beforeEach(() => {
      ledger = databases().one.ledger;
      elsewhere = databases().other.ledger;
    });

    it("is not there before anything was written to it", async () => {
      expect(await ledger.readFence()).to.equal(null);
      const mark = { incarnation: "first", version: 0 };
      expect(await ledger.lowerLongest(usual, mark)).to.equal(false);
      expect(await ledger.readFence()).to.equal(null);
    });

    it("holds the incarnation that was written last", async () => {
      await ledger.writeFence("first");
      expect(await elsewhere.readFence()).to.deep.equal({
        incarnation: "first",
        longest: { tokenLifetimeSeconds: 0, maxStalenessMs: 0, version: 0 },
      });

      await elsewhere.writeFence("second");
      expect((await ledger.readFence())?.incarnation).to.equal("second");
    });

    it("holds the longest values without an incarnation", async () => {
      await ledger.raiseLongest(usual);

      const longest = { ...usual, version: 1 };
      expect(await elsewhere.readFence()).to.deep.equal({ incarnation: null, longest });
    });

    it("keeps the longest values when the incarnation changes, and the other way round", async () => {
      await ledger.raiseLongest({ tokenLifetimeSeconds: 900, maxStalenessMs: 5_000 });
      await ledger.writeFence("first");
      await ledger.raiseLongest({ tokenLifetimeSeconds: 1_000, maxStalenessMs: 5_000 });

      expect(await ledger.readFence()).to.deep.equal({
        incarnation: "first",
        longest: { tokenLifetimeSeconds: 1_000, maxStalenessMs: 5_000, version: 2 },
      });
    });

    it("raises each value by itself, never lowers one, and answers with what it holds then", async () => {
      await ledger.raiseLongest(usual);
      const raised = await ledger.raiseLongest({ tokenLifetimeSeconds: 600, maxStalenessMs: 7_000 });

      const longest = { tokenLifetimeSeconds: 900, maxStalenessMs: 7_000, version: 2 };
      expect(raised).to.deep.equal({ incarnation: null, longest });
      expect(await elsewhere.readFence()).to.deep.equal(raised);
    });

    it("is at a later version after each raise, also one that changes no value", async () => {
      await ledger.raiseLongest(usual);

      expect((await ledger.raiseLongest(usual)).longest).to.deep.equal({ ...usual, version: 2 });
    });

    it("is lowered where it has that incarnation and that version, and is at a later one then", async () => {
      await ledger.writeFence("first");
      await ledger.raiseLongest({ tokenLifetimeSeconds: 86_400, maxStalenessMs: 3_600_000 });

      expect(await elsewhere.lowerLongest(usual, { incarnation: "first", version: 1 })).to.equal(true);
      const longest = { ...usual, version: 2 };
      expect(await ledger.readFence()).to.deep.equal({ incarnation: "first", longest });
    });

    it("stays as it is where it was raised since, or has another incarnation", async () => {
      await ledger.writeFence("first");
      const longer = { tokenLifetimeSeconds: 86_400, maxStalenessMs: 3_600_000 };
      await ledger.raiseLongest(longer);
      await elsewhere.raiseLongest(longer);

      expect(await ledger.lowerLongest(usual, { incarnation: "first", version: 1 })).to.equal(false);
      expect(await ledger.lowerLongest(usual, { incarnation: "zero", version: 2 })).to.equal(false);
      expect((await ledger.readFence())?.longest).to.deep.equal({ ...longer, version: 2 });
    });

    it("takes the first writes of many at once", async () => {
      await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          index === 0
            ? elsewhere.writeFence("first")
            : (index % 2 === 0 ? ledger : elsewhere).raiseLongest({
                tokenLifetimeSeconds: index,
                maxStalenessMs: 10 * index,
              }),
        ),
      );

      expect(await ledger.readFence()).to.deep.equal({
        incarnation: "first",
        longest: { tokenLifetimeSeconds: 9, maxStalenessMs: 90, version: 9 },
      });
    });
  });
}
