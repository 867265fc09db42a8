import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import type { Ledger } from "../../shared/ports/ledger.ts";
import type { Databases } from "./database.contract.ts";

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
      await ledger.lowerLongest({ tokenLifetimeSeconds: 900, maxStalenessMs: 5_000 });
      expect(await ledger.readFence()).to.equal(null);
    });

    it("holds the incarnation that was written last", async () => {
      await ledger.writeFence("first");
      expect(await elsewhere.readFence()).to.deep.equal({
        incarnation: "first",
        longest: { tokenLifetimeSeconds: 0, maxStalenessMs: 0 },
      });

      await elsewhere.writeFence("second");
      expect((await ledger.readFence())?.incarnation).to.equal("second");
    });

    it("holds the longest values without an incarnation", async () => {
      await ledger.raiseLongest({ tokenLifetimeSeconds: 900, maxStalenessMs: 5_000 });

      expect(await elsewhere.readFence()).to.deep.equal({
        incarnation: null,
        longest: { tokenLifetimeSeconds: 900, maxStalenessMs: 5_000 },
      });
    });

    it("keeps the longest values when the incarnation changes, and the other way round", async () => {
      await ledger.raiseLongest({ tokenLifetimeSeconds: 900, maxStalenessMs: 5_000 });
      await ledger.writeFence("first");
      await ledger.raiseLongest({ tokenLifetimeSeconds: 1_000, maxStalenessMs: 5_000 });

      expect(await ledger.readFence()).to.deep.equal({
        incarnation: "first",
        longest: { tokenLifetimeSeconds: 1_000, maxStalenessMs: 5_000 },
      });
    });

    it("raises each value by itself, and never lowers one", async () => {
      await ledger.raiseLongest({ tokenLifetimeSeconds: 900, maxStalenessMs: 5_000 });
      await ledger.raiseLongest({ tokenLifetimeSeconds: 600, maxStalenessMs: 7_000 });

      const longest = { tokenLifetimeSeconds: 900, maxStalenessMs: 7_000 };
      expect((await ledger.readFence())?.longest).to.deep.equal(longest);
    });

    it("lowers each value by itself, and never raises one", async () => {
      await ledger.raiseLongest({ tokenLifetimeSeconds: 900, maxStalenessMs: 5_000 });
      await ledger.lowerLongest({ tokenLifetimeSeconds: 600, maxStalenessMs: 7_000 });

      const longest = { tokenLifetimeSeconds: 600, maxStalenessMs: 5_000 };
      expect((await ledger.readFence())?.longest).to.deep.equal(longest);
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
        longest: { tokenLifetimeSeconds: 9, maxStalenessMs: 90 },
      });
    });
  });
}
