import { expect } from "chai";
import { describe, it } from "mocha";
import { createSteadyClock } from "../../../api/blacklist/steady-clock.ts";
import { createManualPlatform } from "../../support/manual-clock.ts";

describe("steady clock", () => {
  function createWorld() {
    const platform = createManualPlatform();
    const steadyMs = createSteadyClock(platform.clock);
    const startMs = steadyMs();
    return { platform, sinceStartMs: () => steadyMs() - startMs };
  }

  it("runs with the monotonic clock", async () => {
    const { platform, sinceStartMs } = createWorld();
    await platform.advance(1_234);
    expect(sinceStartMs()).to.equal(1_234);
  });

  it("counts the time of a suspension", async () => {
    const { platform, sinceStartMs } = createWorld();
    await platform.advance(100);
    platform.suspend(60_000);
    expect(sinceStartMs()).to.equal(60_100);
  });

  it("gives no time back when the wall clock is set back", async () => {
    const { platform, sinceStartMs } = createWorld();
    await platform.advance(100);
    platform.stepWall(-10_000);
    expect(sinceStartMs()).to.equal(100);
  });

  it("counts what the wall clock is set ahead by", async () => {
    const { platform, sinceStartMs } = createWorld();
    await platform.advance(100);
    platform.stepWall(10_000);
    expect(sinceStartMs()).to.equal(10_100);
  });

  it("counts a suspension behind a wall clock that was set back", async () => {
    const { platform, sinceStartMs } = createWorld();
    platform.stepWall(-10_000);
    sinceStartMs();
    platform.suspend(5_000);
    expect(sinceStartMs()).to.equal(5_000);
  });

  it("counts a suspension behind a wall clock that is set back before anybody has looked", async () => {
    const { platform, sinceStartMs } = createWorld();
    await platform.advance(100);
    platform.stepWall(-4_000);
    platform.suspend(5_000);
    expect(sinceStartMs()).to.equal(5_100);
    platform.suspend(5_000);
    platform.stepWall(-7_000);
    expect(sinceStartMs()).to.equal(10_100);
  });

  it("counts a suspension behind a wall clock that is set ahead as the longer of both", async () => {
    const { platform, sinceStartMs } = createWorld();
    platform.suspend(1_000);
    platform.stepWall(3_000);
    expect(sinceStartMs()).to.equal(4_000);
  });

  it("counts every one of several suspensions, whatever is set back between them", async () => {
    const { platform, sinceStartMs } = createWorld();
    for (let round = 0; round < 3; round += 1) {
      platform.suspend(1_000);
      sinceStartMs();
      platform.stepWall(-3_000);
      sinceStartMs();
    }
    expect(sinceStartMs()).to.equal(3_000);
  });

  it("is moved by no reading that differs a little", async () => {
    const { platform, sinceStartMs } = createWorld();
    for (let round = 0; round < 1_000; round += 1) {
      platform.stepWall(round % 2 === 0 ? 1 : -1);
      sinceStartMs();
    }
    expect(sinceStartMs()).to.be.at.most(1);
  });
});
