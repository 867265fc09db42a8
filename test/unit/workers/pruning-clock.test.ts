import { expect } from "chai";
import { describe, it } from "mocha";
import { createPruningClock } from "../../../shared/revocation/pruning-clock.ts";

const lifetimeMs = 900_000;

function create() {
  const now = { wallMs: 1_000_000_000, monotonicMs: 5_000 };
  const clock = { wallMs: () => now.wallMs, monotonicMs: () => now.monotonicMs };
  const pruning = createPruningClock(clock, () => lifetimeMs);
  const pass = (ms: number) => {
    now.wallMs += ms;
    now.monotonicMs += ms;
  };
  const aheadMs = () => now.wallMs - pruning.nowMs();
  return { now, pruning, pass, aheadMs };
}

describe("pruning clock", () => {
  it("runs on with the monotonic clock", () => {
    const { pass, aheadMs } = create();
    pass(123_456);
    expect(aheadMs()).to.equal(0);
  });

  it("follows the wall clock back at once", () => {
    const { now, aheadMs } = create();
    now.wallMs -= 7_200_000;
    expect(aheadMs()).to.equal(0);
  });

  it("follows a step ahead only after one longest lifetime", () => {
    const { now, pass, aheadMs } = create();
    now.wallMs += 7_200_000;
    expect(aheadMs()).to.equal(7_200_000);
    pass(lifetimeMs - 1);
    expect(aheadMs()).to.equal(7_200_000);
    pass(1);
    expect(aheadMs()).to.equal(0);
  });

  it("waits anew for a step that comes while another one waits", () => {
    const { now, pass, aheadMs } = create();
    now.wallMs += 1_000;
    expect(aheadMs()).to.equal(1_000);
    pass(lifetimeMs - 1);
    now.wallMs += 7_200_000;
    pass(1);
    expect(aheadMs()).to.equal(7_200_000);
  });

  it("forgets a step ahead that was taken back", () => {
    const { now, pass, aheadMs } = create();
    now.wallMs += 7_200_000;
    expect(aheadMs()).to.equal(7_200_000);
    now.wallMs -= 7_200_000;
    expect(aheadMs()).to.equal(0);
    pass(lifetimeMs);
    expect(aheadMs()).to.equal(0);
  });
});
