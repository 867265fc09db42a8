import { expect } from "chai";
import { describe, it } from "mocha";
import { Lease } from "../../../api/blacklist/lease.ts";
import { createPosition } from "../../../shared/revocation/position.ts";
import { createManualPlatform } from "../../support/manual-clock.ts";

const at = (milliseconds: number) => createPosition(milliseconds, 0);

function createWorld() {
  const platform = createManualPlatform();
  const lease = new Lease(platform.clock);
  return {
    platform,
    lease,
    /** A sync whose answer took no time. */
    sync: (head: number, incarnation = "first") =>
      lease.noteAnswer({ sent: lease.noteSending(), incarnation, head: at(head) }),
  };
}

describe("lease", () => {
  it("proves nothing before a head was reached", () => {
    const { lease, sync } = createWorld();
    sync(10);

    expect(lease.noteReached("first", at(9))).to.equal(false);
    expect(lease.elapsedMs()).to.equal(null);
  });

  it("counts from the latest of the syncs whose heads were reached", async () => {
    const { lease, sync, platform } = createWorld();
    for (const head of [10, 20, 30]) {
      sync(head);
      await platform.advance(100);
    }

    expect(lease.noteReached("first", at(20))).to.equal(true);
    expect(lease.elapsedMs()).to.equal(200);
    expect(lease.noteReached("first", at(30))).to.equal(true);
    expect(lease.elapsedMs()).to.equal(100);
  });

  it("does not count a sync that showed another incarnation, however far the position is", () => {
    const { lease, sync } = createWorld();
    sync(10, "first");

    expect(lease.noteReached("second", at(99))).to.equal(false);
    expect(lease.noteReached("first", at(99))).to.equal(false);
  });

  it("keeps a bounded number of syncs in mind, and gains from the oldest first", async () => {
    const { lease, sync, platform } = createWorld();
    for (let head = 1; head <= 1_000; head += 1) {
      sync(head);
      await platform.advance(1);
    }

    expect(lease.noteReached("first", at(1))).to.equal(true);
    expect(lease.elapsedMs()).to.equal(1_000);
    expect(lease.noteReached("first", at(1_000))).to.equal(true);
    expect(lease.elapsedMs()).to.be.above(900);
  });
});
