import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { createGapWatch, type GapWatch } from "../../../shared/kafka/gap-watch.ts";
import { createMembership } from "../../../shared/kafka/membership.ts";
import type { PartitionOffsets } from "../../../shared/kafka/offsets.ts";
import { silentLog } from "../../../shared/log.ts";
import { createManualPlatform, type ManualPlatform } from "../../support/manual-clock.ts";

const minuteMs = 60_000;

describe("createGapWatch", () => {
  let platform: ManualPlatform;
  let offsets: { committed: bigint | null; isReset: boolean; low: bigint };
  let told: string[];
  let faults: Error[];
  let membership: ReturnType<typeof createMembership>;
  let closing: AbortController;
  let watch: GapWatch;

  beforeEach(() => {
    platform = createManualPlatform();
    offsets = { committed: 5n, isReset: false, low: 0n };
    [told, faults] = [[], []];
    membership = createMembership(platform.timers, 10 * minuteMs);
    closing = new AbortController();
    watch = createGapWatch({
      readOffsets: async (): Promise<PartitionOffsets[]> => {
        const fault = faults.shift();
        if (fault !== undefined) throw fault;
        return [{ partition: 0, ...offsets }];
      },
      commit: async ([commit]) => {
        offsets = { ...offsets, committed: BigInt(commit?.offset ?? 0), isReset: false };
      },
      handleLost: async ({ gaps }) => void told.push(...gaps.map(({ from, to }) => `${from} to ${to}`)),
      membership,
      timers: platform.timers,
      closing: closing.signal,
      log: silentLog,
    });
  });

  async function join(): Promise<void> {
    await watch.begin();
    membership.joined();
    watch.joined([0]);
    await platform.settle();
  }

  it("says nothing while the commit stands within the log", async () => {
    await join();
    await watch.passed(0, "5");
    await platform.advance(2 * minuteMs);
    expect(told).to.deep.equal([]);
  });

  it("tells of the gap that kafkajs has put its own mark over, with where it began", async () => {
    await watch.begin();
    offsets = { committed: null, isReset: true, low: 9n };
    membership.joined();
    watch.joined([0]);
    await watch.passed(0, "9");
    expect(told).to.deep.equal(["5 to 9"]);
    expect(offsets.committed).to.equal(9n);
  });

  it("looks where a batch does not begin with what was expected, before it is delivered", async () => {
    await join();
    watch.committed(0, "6");
    offsets = { committed: null, isReset: true, low: 9n };
    await watch.passed(0, "9");
    expect(told).to.deep.equal(["6 to 9"]);
  });

  it("takes a batch that begins later for no loss while what is before it stands in the log", async () => {
    await join();
    await watch.passed(0, "7");
    expect(told).to.deep.equal([]);
  });

  it("finds within a minute what nothing is left of, unless a batch of the partition is in hand", async () => {
    await join();
    await watch.passed(0, "5");
    offsets = { ...offsets, low: 9n };
    await platform.advance(2 * minuteMs);
    expect(told).to.deep.equal([]);
    watch.released(0);
    await platform.advance(minuteMs);
    expect(told).to.deep.equal(["5 to 9"]);
  });

  it("lets nothing pass before it could look", async () => {
    faults = [new Error("away"), new Error("away"), new Error("away")];
    await join();
    let hasPassed = false;
    const passed = watch.passed(0, "5").then(() => (hasPassed = true));
    await platform.settle();
    expect(hasPassed).to.equal(false);
    await platform.advance(2_000);
    await passed;
  });

  it("gives up what it was at when the membership ends, and ends with the consumer", async () => {
    faults = Array.from({ length: 100 }, () => new Error("away"));
    await join();
    membership.left();
    await platform.advance(2_000);
    await watch.passed(0, "5");
    membership.joined();
    watch.joined([0]);
    closing.abort();
    await platform.advance(2_000);
    await watch.close();
    expect(told).to.deep.equal([]);
  });
});
