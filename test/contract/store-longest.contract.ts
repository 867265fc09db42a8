import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import type { Longest, Lowering } from "../../shared/revocation/longest.ts";
import { report } from "../support/instance-report.ts";
import { repairEnd, usualLongest } from "../support/repair-end.ts";

const longest = (tokenLifetimeSeconds: number, maxStalenessMs: number): Longest => ({
  tokenLifetimeSeconds,
  maxStalenessMs,
});

export function storeLongestContract(openStore: () => RevocationStore): void {
  describe("longest lifetime and staleness", () => {
    let store: RevocationStore;

    beforeEach(() => {
      store = openStore();
    });

    const confirmed = async () => (await store.readState()).longest;

    it("are those of the latest version of the fence, whatever is confirmed last", async () => {
      await store.confirmLongest({ ...longest(60, 9_000), version: 3 });
      await store.confirmLongest({ ...longest(900, 5_000), version: 2 });
      expect(await confirmed()).to.deep.equal({ ...longest(60, 9_000), version: 3 });

      await store.confirmLongest({ ...longest(90, 1_000), version: 5 });
      expect(await confirmed()).to.deep.equal({ ...longest(90, 1_000), version: 5 });
    });

    it("are each the longest of two of one version", async () => {
      await store.confirmLongest({ ...longest(60, 9_000), version: 3 });
      await store.confirmLongest({ ...longest(90, 1_000), version: 3 });

      expect(await confirmed()).to.deep.equal({ ...longest(90, 9_000), version: 3 });
    });

    it("are confirmed by the end of a repair, which begins by forgetting them", async () => {
      await store.confirmLongest({ ...longest(60, 9_000), version: 3 });
      await store.beginRepair("lock");
      const during = await confirmed();
      await store.completeRepair("lock", repairEnd("first"));

      expect(during).to.deep.equal({ ...longest(0, 0), version: 0 });
      expect(await confirmed()).to.deep.equal(usualLongest);
    });

    it("are noted when they are wanted, and how often, and confirmed by nobody", async () => {
      await store.wantLongest(longest(60, 9_000));
      await store.wantLongest(longest(60, 9_000));
      await store.wantLongest(longest(90, 1_000));

      const { wanted, longest: known } = await store.readState();
      expect(wanted).to.have.deep.members([
        { ...longest(60, 9_000), times: 2 },
        { ...longest(90, 1_000), times: 1 },
      ]);
      expect(known).to.deep.equal({ ...longest(0, 0), version: 0 });
    });

    describe("of an instance that syncs", () => {
      beforeEach(async () => {
        await store.beginRepair("lock");
        await store.completeRepair("lock", repairEnd("first"));
      });

      for (const [what, longer] of [
        ["staleness", { maxStalenessMs: 5_001 }],
        ["token lifetime", { tokenLifetimeSeconds: 901 }],
      ] as const) {
        it(`renew no lease while the fence is not known to cover its ${what}, and count as wanted`, async () => {
          const one = { ...report("one", "first"), ...longer };
          const answer = await store.sync(one);

          const { instances, wanted } = await store.readInstances();
          expect(answer).to.include({ incarnation: null, isCovered: false });
          expect(answer.entries).to.deep.equal([]);
          expect(instances.map(({ id }) => id)).to.deep.equal(["one"]);
          expect(wanted).to.deep.equal([{ ...usual(), ...longer, times: 1 }]);

          await store.confirmLongest({ ...longest(901, 5_001), version: 2 });
          expect(await store.sync(one)).to.include({ incarnation: "first", isCovered: true });
        });
      }

      it("come with the answer, as they are confirmed", async () => {
        await store.confirmLongest({ ...longest(4_000, 6_000), version: 2 });

        expect((await store.sync(report("one", "first"))).longest).to.deep.equal(longest(4_000, 6_000));
      });
    });

    describe("lowered", () => {
      const seen = longest(86_400, 3_600_000);
      let lowering: Lowering;

      beforeEach(async () => {
        await store.beginRepair("lock");
        await store.completeRepair("lock", repairEnd("first", { longest: { ...seen, version: 7 } }));
        await store.sync(report("one", "first"));
        await store.wantLongest(seen);
        const { wanted } = await store.readState();
        lowering = { incarnation: "first", from: seen, to: { ...usual(), version: 8 }, wanted };
      });

      const expectKept = async (changed: Partial<Lowering> = {}) => {
        const before = await confirmed();
        expect(await store.lowerLongest({ ...lowering, ...changed })).to.equal(false);
        expect(await confirmed()).to.deep.equal(before);
      };

      it("are what is given, and forgotten as wanted", async () => {
        await store.wantLongest(usual());
        expect(await store.lowerLongest(lowering)).to.equal(true);

        expect(await confirmed()).to.deep.equal({ ...usual(), version: 8 });
        expect((await store.readState()).wanted).to.deep.equal([{ ...usual(), times: 1 }]);
      });

      it("stay while somebody is registered with a longer one, also when he has signed off", async () => {
        await store.sync({ ...report("two", "first"), maxStalenessMs: 5_001 });
        await store.signOff("two");
        await expectKept();
      });

      it("stay when a longer one was wanted since they were seen", async () => {
        await store.wantLongest(seen);
        await expectKept();
        await expectKept({ wanted: [] });
      });

      it("stay under another incarnation, and when they are others than were seen", async () => {
        await expectKept({ incarnation: "zero" });
        await expectKept({ from: longest(86_400, 5_000) });
      });

      it("stay when a later version of the fence is known", async () => {
        await store.confirmLongest({ ...seen, version: 9 });
        await expectKept();
      });

      it("can be lowered again by who finds the fence as it was: the first one died in between", async () => {
        await store.lowerLongest(lowering);

        expect(await store.lowerLongest({ ...lowering, from: usual(), wanted: [] })).to.equal(true);
      });

      it("are not raised by what an earlier version of the fence held", async () => {
        await store.lowerLongest(lowering);
        await store.confirmLongest({ ...seen, version: 7 });
        expect(await confirmed()).to.deep.equal({ ...usual(), version: 8 });

        await store.confirmLongest({ ...seen, version: 8 });
        expect(await confirmed()).to.deep.equal({ ...seen, version: 8 });
      });
    });
  });
}

function usual(): Longest {
  const { version: _, ...values } = usualLongest;
  return values;
}
