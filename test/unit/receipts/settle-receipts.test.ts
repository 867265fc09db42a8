import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import type { EnforcedNote, LedgerRow } from "../../../shared/ports/ledger.ts";
import type { InstancesView, RegisteredInstance } from "../../../shared/ports/revocation-store.ts";
import { createInstanceObserver } from "../../../shared/receipts/instance-observer.ts";
import { createSettleReceipts } from "../../../shared/receipts/settle-receipts.ts";
import { createPosition } from "../../../shared/revocation/position.ts";
import { appliedRow } from "../../support/ledger-rows.ts";
import { createManualPlatform, type ManualPlatform } from "../../support/manual-clock.ts";
import { storeState } from "../../support/store-state.ts";

const maxStalenessMs = 5_000;
const longerThanBoundMs = 6_001;

function instance(id: string, change: Partial<RegisteredInstance> = {}): RegisteredInstance {
  return {
    id,
    incarnation: "one",
    position: createPosition(10, 0),
    maxStalenessMs,
    tokenLifetimeSeconds: 900,
    entries: 0,
    syncCount: 1,
    lastSyncAtMs: 0,
    signedOffAtMs: null,
    ...change,
  };
}

const row = appliedRow();

describe("settleReceipts", () => {
  let platform: ManualPlatform;
  let view: InstancesView;
  let beforeAnswer: () => Promise<void>;
  let notes: EnforcedNote[];
  let fence: string | null;
  let fenceReads: number;
  let settle: (change?: Partial<LedgerRow>) => Promise<string>;

  beforeEach(() => {
    platform = createManualPlatform();
    beforeAnswer = async () => undefined;
    notes = [];
    fence = "one";
    fenceReads = 0;
    view = { ...storeState(), instances: [instance("a"), instance("b")] };
    const observer = createInstanceObserver({
      clock: platform.clock,
      store: {
        readInstances: async () => {
          await beforeAnswer();
          return view;
        },
      },
    });
    const settleReceipts = createSettleReceipts({
      observer,
      clock: platform.clock,
      ledger: {
        findMany: async () => [row],
        readFence: async () => {
          fenceReads += 1;
          return { incarnation: fence, longest: view.longest };
        },
        noteEnforced: async (eventIds, note) => {
          notes.push(note);
          return eventIds.length;
        },
      },
    });
    settle = async (change = {}) => {
      const [settlement] = await settleReceipts([{ ...row, ...change }]);
      const states = settlement?.instances.map(({ state }) => state).join(" ");
      return `${settlement?.row.status}: ${states}`;
    };
  });

  it("is enforced when every instance reports the row's position under its incarnation", async () => {
    expect(await settle()).to.equal("enforced: enforced enforced");
    expect(notes).to.have.length(1);
  });

  it("stays applied while one instance stands before the position", async () => {
    view = { ...view, instances: [instance("a"), instance("b", { position: createPosition(9, 9) })] };
    expect(await settle()).to.equal("applied: enforced pending");
    expect(notes).to.have.length(0);
  });

  it("stays applied while one instance reports under another incarnation", async () => {
    view = {
      ...view,
      instances: [instance("a"), instance("b", { incarnation: "zero", position: createPosition(99, 0) })],
    };
    expect(await settle()).to.equal("applied: enforced pending");
  });

  it("stays applied while the store has another incarnation than the row", async () => {
    expect(await settle({ incarnation: "zero" })).to.match(/^applied/);
  });

  it("stays applied while the fence names another incarnation than the store and the row", async () => {
    fence = "two";
    expect(await settle()).to.equal("applied: enforced enforced");
    expect(notes).to.have.length(0);
  });

  it("takes the fence's word from after the observation", async () => {
    beforeAnswer = async () => void (fence = "two");
    expect(await settle()).to.match(/^applied/);
  });

  it("reads the fence only when there is something to settle", async () => {
    view = { ...view, instances: [instance("a", { position: createPosition(1, 0) })] };
    await settle();
    await settle({ status: "enforced" });
    expect(fenceReads).to.equal(0);
  });

  it("counts an instance that signed off as gone", async () => {
    view = {
      ...view,
      instances: [instance("a"), instance("b", { position: createPosition(1, 0), signedOffAtMs: 5 })],
    };
    expect(await settle()).to.equal("enforced: enforced gone");
  });

  it("counts a silent instance as fenced only after the bound, between an answer and a later sending", async () => {
    view = { ...view, instances: [instance("a"), instance("b", { position: createPosition(1, 0) })] };
    expect(await settle()).to.match(/^applied/);
    await platform.advance(maxStalenessMs);
    expect(await settle()).to.match(/^applied/);
    await platform.advance(longerThanBoundMs - maxStalenessMs);
    expect(await settle()).to.equal("enforced: enforced fenced");
  });

  it("does not take its own pause within a read for somebody's silence", async () => {
    view = { ...view, instances: [instance("b", { position: createPosition(1, 0) })] };
    beforeAnswer = () => platform.advance(longerThanBoundMs);
    await settle();
    beforeAnswer = async () => undefined;
    expect(await settle()).to.equal("applied: pending");
  });

  it("starts the silence anew with each sync", async () => {
    view = { ...view, instances: [instance("b", { position: createPosition(1, 0) })] };
    await settle();
    await platform.advance(longerThanBoundMs);
    view = { ...view, instances: [instance("b", { position: createPosition(1, 0), syncCount: 2 })] };
    expect(await settle()).to.equal("applied: pending");
  });

  it("counts an instance that vanished without signing off as silent, not as gone", async () => {
    view = { ...view, instances: [instance("a"), instance("b", { position: createPosition(1, 0) })] };
    await settle();
    view = { ...view, instances: [instance("a")] };
    expect(await settle()).to.equal("applied: enforced pending");
    await platform.advance(longerThanBoundMs);
    expect(await settle()).to.match(/^enforced/);
  });

  const behind = createPosition(1, 0);

  it("waits for an instance that joined meanwhile, until it has loaded the row", async () => {
    view = { ...view, instances: [instance("a", { position: behind })] };
    await settle();
    view = { ...view, instances: [instance("a"), instance("new", { incarnation: null, position: behind })] };
    expect(await settle()).to.equal("applied: enforced pending");
    view = { ...view, instances: [instance("a"), instance("new", { syncCount: 2 })] };
    expect(await settle()).to.equal("enforced: enforced enforced");
  });

  it("waits anew for an instance that was paused beyond its lease and is back, before it has caught up", async () => {
    view = { ...view, instances: [instance("a", { position: behind }), instance("b", { position: behind })] };
    await settle();
    await platform.advance(longerThanBoundMs);
    expect(await settle({ position: createPosition(99, 0) })).to.equal("enforced: fenced fenced");
    view = {
      ...view,
      instances: [instance("a", { position: behind, syncCount: 2 }), instance("b", { position: behind })],
    };
    expect(await settle()).to.equal("applied: pending fenced");
  });

  for (const [what, registeredMs] of [
    ["a longer staleness", 60_000],
    ["a best_effort route", 3_600_000],
  ] as const) {
    it(`waits for the whole of the lease of a silent instance with ${what}`, async () => {
      view = { ...view, instances: [instance("b", { position: behind, maxStalenessMs: registeredMs })] };
      await settle();
      await platform.advance(registeredMs * 1.2);
      expect(await settle()).to.equal("applied: pending");
      await platform.advance(1);
      expect(await settle()).to.equal("enforced: fenced");
    });
  }

  it("takes no step of anybody's wall clock for silence", async () => {
    view = { ...view, instances: [instance("b", { position: behind, lastSyncAtMs: -3_600_000 })] };
    await settle();
    platform.stepWall(3_600_000);
    view = { ...view, storeTimeMs: 3_600_000 };
    expect(await settle()).to.equal("applied: pending");
  });

  it("proves nothing by reads that fail, or by the time in which none was made", async () => {
    const seen = [instance("b", { position: behind, syncCount: 7 })];
    view = { ...view, instances: seen };
    await settle();
    await platform.advance(3_000);
    beforeAnswer = () => Promise.reject(new Error("away"));
    for (let read = 0; read < 4; read += 1) {
      await settle().then(
        () => expect.fail("it must not be settled"),
        () => undefined,
      );
      await platform.advance(1_000);
    }
    beforeAnswer = async () => undefined;
    view = { ...view, instances: [instance("b", { position: behind, syncCount: 8 })] };
    expect(await settle()).to.equal("applied: pending");
  });

  it("counts the silence of one that vanished only up to reads that came back", async () => {
    view = { ...view, instances: [instance("b", { position: behind })] };
    await settle();
    view = { ...view, instances: [] };
    await platform.advance(longerThanBoundMs - 1);
    beforeAnswer = () => platform.advance(10_000);
    expect(await settle()).to.equal("applied: pending");
  });

  describe("under a later incarnation", () => {
    beforeEach(() => {
      view = { ...view, isFirstIncarnation: false, instances: [] };
    });

    /** By the observer's clock and by the store's, each from the first sight of the incarnation. */
    async function settleAfter(ownMs: number, storeMs: number): Promise<string> {
      view = { ...view, storeTimeMs: 0 };
      await settle();
      await platform.advance(ownMs);
      view = { ...view, storeTimeMs: storeMs };
      return settle();
    }

    it("settles nothing before it is older than the bound", async () => {
      expect(await settleAfter(longerThanBoundMs, 5_999)).to.match(/^applied/);
      view = { ...view, storeTimeMs: longerThanBoundMs };
      expect(await settle()).to.match(/^enforced/);
    });

    it("does not believe the store's clock about it, also when it has just begun to observe", async () => {
      expect(await settleAfter(5_999, 99_999)).to.match(/^applied/);
      await platform.advance(2);
      expect(await settle()).to.match(/^enforced/);
    });

    it("waits by the longest staleness in use for an instance that the store has forgotten", async () => {
      view = { ...view, longest: { ...view.longest, maxStalenessMs: 3_600_000 } };
      expect(await settleAfter(4_319_999, 4_320_001)).to.match(/^applied/);
      await platform.advance(2);
      expect(await settle()).to.match(/^enforced/);
    });

    it("settles nothing while a primary that was cut off may have renewed a lease, and for the bound after", async () => {
      view = { ...view, replicaLagMs: 12_000 };
      expect(await settleAfter(12_000 + 5_999, 99_999)).to.match(/^applied/);
      await platform.advance(2);
      expect(await settle()).to.match(/^enforced/);
    });

    it("begins to wait anew when it changes", async () => {
      expect(await settleAfter(longerThanBoundMs, longerThanBoundMs)).to.match(/^enforced/);
      view = { ...view, incarnation: "two" };
      expect(await settle({ incarnation: "two" })).to.match(/^applied/);
    });
  });

  it("proves nothing while the store is invalid", async () => {
    view = { ...view, incarnation: null, instances: [] };
    expect(await settle()).to.match(/^applied/);
  });
});
