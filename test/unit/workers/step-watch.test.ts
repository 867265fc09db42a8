import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { createStepWatch, type StepWatch } from "../../../workers/pruner/step-watch.ts";
import { createManualPlatform, type ManualPlatform } from "../../support/manual-clock.ts";
import { storeState } from "../../support/store-state.ts";

const minuteMs = 60_000;

describe("the watch for a step of the store's clock", () => {
  let platform: ManualPlatform;
  let watch: StepWatch;
  /** Of the store's clock to the wall clock. */
  let aheadMs: number;

  beforeEach(() => {
    platform = createManualPlatform();
    watch = createStepWatch(platform.clock);
    aheadMs = 0;
    look();
  });

  const storeTimeMs = () => Math.floor(platform.clock.wallMs() + aheadMs);

  function look(changed: Parameters<typeof storeState>[0] = {}): boolean {
    const sentAtMs = platform.clock.monotonicMs();
    return watch.isRepairDue(storeState({ storeTimeMs: storeTimeMs(), ...changed }), sentAtMs);
  }
  async function step(ms: number): Promise<void> {
    await platform.advance(400);
    aheadMs += ms;
    await platform.advance(600);
  }
  const whole = (agoMs: number) => ({ incarnation: "two", wholeSinceMs: storeTimeMs() - agoMs });

  for (const ms of [10 * minuteMs, -10 * minuteMs]) {
    const direction = ms > 0 ? "ahead" : "back";

    it(`has one ${direction} repaired, until that has been done`, async () => {
      await step(ms);
      expect([look(), look()]).to.deep.equal([true, true]);
      watch.repaired();
      expect(look()).to.equal(false);
    });

    it(`leaves one ${direction} to who began to write everything after it`, async () => {
      await step(ms);
      expect(look(whole(300))).to.equal(false);
      expect(look()).to.equal(false);
    });

    it(`has one ${direction} repaired although somebody began to write everything right before it`, async () => {
      await step(ms);
      expect(look(whole(800 + ms))).to.equal(true);
    });

    it(`leaves one ${direction} to who was at it when it was seen, once he has ended`, async () => {
      await step(ms);
      const { wholeSinceMs } = whole(100);
      expect(look({ incarnation: null })).to.equal(true);
      await platform.advance(2_000);
      expect(look({ incarnation: "two", wholeSinceMs })).to.equal(false);
    });
  }

  it("does not leave it to somebody who took some of it for there", async () => {
    await step(10 * minuteMs);
    expect(look({ incarnation: "two", wholeSinceMs: null })).to.equal(true);
  });

  it("does not leave it to somebody who began when it cannot be told any more whether that was before", async () => {
    await step(10 * minuteMs);
    expect(look({ incarnation: null })).to.equal(true);
    await platform.advance(6 * minuteMs);
    expect(look(whole(100))).to.equal(true);
  });

  it("sees none in clocks that drift apart, nor in a small step", async () => {
    for (let looks = 0; looks < 100; looks += 1) {
      await step(4 * minuteMs);
      expect(look()).to.equal(false);
    }
  });

  it("takes no pause of this process, while it waited for the answer, for a step", async () => {
    const sentAtMs = platform.clock.monotonicMs();
    const state = storeState({ storeTimeMs: storeTimeMs() });
    await platform.advance(10 * minuteMs);
    expect(watch.isRepairDue(state, sentAtMs)).to.equal(false);
    await platform.advance(1_000);
    expect(look()).to.equal(false);
  });

  it("sees a step that comes with such a pause", async () => {
    const sentAtMs = platform.clock.monotonicMs();
    const state = storeState({ storeTimeMs: storeTimeMs() });
    await step(10 * minuteMs);
    await platform.advance(10 * minuteMs);
    watch.isRepairDue(state, sentAtMs);
    expect(look()).to.equal(true);
  });
});
