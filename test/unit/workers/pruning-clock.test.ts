import { expect } from "chai";
import { describe, it } from "mocha";
import { createPruningClock } from "../../../shared/revocation/pruning-clock.ts";

const lifetimeMs = 900_000;

function create() {
  const now = { wallMs: 1_000_000_000, monotonicMs: 5_000 };
  const clock = {
    wallMs: () => now.wallMs,
    monotonicMs: () => now.monotonicMs,
    bootMs: () => now.monotonicMs,
  };
  const pruning = createPruningClock(clock, () => lifetimeMs);
  const pass = (ms: number) => {
    now.wallMs += ms;
    now.monotonicMs += ms;
  };
  const aheadMs = () => now.wallMs - pruning.nowMs();
  return { now, pruning, pass, aheadMs };
}

/** One that has followed the wall clock already. */
function createSettled() {
  const settled = create();
  settled.pass(lifetimeMs);
  settled.pruning.nowMs();
  return settled;
}

describe("pruning clock", () => {
  it("follows the clock that it starts with only after one longest lifetime", () => {
    const { now, pass, pruning, aheadMs } = create();
    expect(aheadMs()).to.be.above(now.wallMs / 2);
    pass(lifetimeMs - 1);
    expect(pruning.nowMs()).to.be.below(lifetimeMs);
    pass(1);
    expect(aheadMs()).to.equal(0);
  });

  it("does not follow a clock that it starts with and that is put right meanwhile", () => {
    const { now, pass, aheadMs } = create();
    now.wallMs += 86_400_000;
    pass(lifetimeMs / 2);
    aheadMs();
    now.wallMs -= 86_400_000;
    aheadMs();
    pass(lifetimeMs / 2);
    expect(aheadMs()).to.equal(0);
  });

  it("runs on with the monotonic clock", () => {
    const { pass, aheadMs } = createSettled();
    pass(123_456);
    expect(aheadMs()).to.equal(0);
  });

  it("follows the wall clock back at once", () => {
    const { now, aheadMs } = createSettled();
    now.wallMs -= 7_200_000;
    expect(aheadMs()).to.equal(0);
  });

  it("follows a step ahead only after one longest lifetime", () => {
    const { now, pass, aheadMs } = createSettled();
    now.wallMs += 7_200_000;
    expect(aheadMs()).to.equal(7_200_000);
    pass(lifetimeMs - 1);
    expect(aheadMs()).to.equal(7_200_000);
    pass(1);
    expect(aheadMs()).to.equal(0);
  });

  it("waits anew for a step that comes while another one waits", () => {
    const { now, pass, aheadMs } = createSettled();
    now.wallMs += 1_000;
    expect(aheadMs()).to.equal(1_000);
    pass(lifetimeMs - 1);
    now.wallMs += 7_200_000;
    pass(1);
    expect(aheadMs()).to.equal(7_200_000);
  });

  it("forgets a step ahead that was taken back", () => {
    const { now, pass, aheadMs } = createSettled();
    now.wallMs += 7_200_000;
    expect(aheadMs()).to.equal(7_200_000);
    now.wallMs -= 7_200_000;
    expect(aheadMs()).to.equal(0);
    pass(lifetimeMs);
    expect(aheadMs()).to.equal(0);
  });
});
