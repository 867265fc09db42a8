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
  let offsets: { committed: bigint | null; isReset: boolean; low: bigint; high: bigint };
  let told: string[];
  let faults: Error[];
  let isSilent: boolean;
  let membership: ReturnType<typeof createMembership>;
  let closing: AbortController;
  let watch: GapWatch;

  beforeEach(() => {
    platform = createManualPlatform();
    offsets = { committed: 5n, isReset: false, low: 0n, high: 20n };
    [told, faults] = [[], []];
    isSilent = false;
    membership = createMembership(platform.timers, 10 * minuteMs);
    closing = new AbortController();
    create();
  });

  function create(): void {
    watch = createGapWatch({
      readOffsets: async (): Promise<PartitionOffsets[]> => {
        if (isSilent) return new Promise(() => undefined);
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
  }

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
    offsets = { committed: null, isReset: true, low: 9n, high: 20n };
    membership.joined();
    watch.joined([0]);
    await watch.passed(0, "9");
    expect(told).to.deep.equal(["5 to 9"]);
    expect(offsets.committed).to.equal(9n);
  });

  it("looks where a batch does not begin with what was expected, before it is delivered", async () => {
    await join();
    watch.committed(0, "6");
    offsets = { committed: null, isReset: true, low: 9n, high: 20n };
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

  it("goes on looking once it is a member again without having joined", async () => {
    membership = createMembership(platform.timers, minuteMs / 2);
    create();
    await join();
    await platform.advance(minuteMs + 1_000);
    expect(membership.isMember()).to.equal(false);
    membership.renewed();
    offsets = { ...offsets, low: 9n };
    for (let n = 0; n < 6; n += 1) {
      await platform.advance(minuteMs / 4);
      membership.renewed();
    }
    expect(told).to.deep.equal(["5 to 9"]);
  });

  it("takes a commit behind the end for a gap, and goes on with the earliest record there is", async () => {
    offsets = { ...offsets, committed: 5n, high: 3n };
    await join();
    expect(told).to.deep.equal(["5 to 0"]);
    expect(offsets.committed).to.equal(0n);
  });

  it("finds a log that began anew where kafkajs has put its own mark over the commit", async () => {
    await join();
    offsets = { committed: null, isReset: true, low: 0n, high: 2n };
    await watch.passed(0, "0");
    expect(told).to.deep.equal(["5 to 0"]);
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

  it("asks again where no answer ever comes", async () => {
    await watch.begin();
    isSilent = true;
    membership.joined();
    watch.joined([0]);
    await platform.settle();
    const passed = watch.passed(0, "5").then(() => "passed");
    isSilent = false;
    await platform.advance(minuteMs / 2);
    expect(await Promise.race([passed, Promise.resolve("waiting")])).to.equal("passed");
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
