import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { createFeedWorld, type FeedWorld, maxStalenessMs } from "./feed-world.ts";

const bucket = "tokens:1";

describe("an instance on a damaged store", () => {
  let world: FeedWorld;

  beforeEach(async () => {
    world = await createFeedWorld();
    await world.repair("first");
    await world.deactivate("a");
  });
  afterEach(() => world.close());

  async function repairDamage(): Promise<void> {
    await world.worker.beginRepair("lock");
    await world.worker.discard("lock", (await world.worker.readDamaged()).buckets);
    await world.repair("second", world.cutOff("a"));
  }

  it("does not accept before the repair when it starts, and merges what can be read", async () => {
    world.server.damage(bucket);
    const feed = await world.start();
    await world.platform.advance(60_000);
    expect(feed.freshness()).to.include({ state: "cold", missing: "incarnation" });
    expect(feed.isAccepting()).to.equal(false);
    expect(world.isRefused("a")).to.equal(true);

    await repairDamage();
    await world.platform.advance(2_000);
    expect(feed.isAccepting()).to.equal(true);
  });

  it("goes on accepting when it had loaded before, through the repair too", async () => {
    const feed = await world.start();
    world.server.damage(bucket);
    await world.platform.advance(3 * maxStalenessMs);
    expect(feed.isAccepting()).to.equal(true);

    await repairDamage();
    expect(feed.isAccepting()).to.equal(true);
    await world.platform.advance(3 * maxStalenessMs);
    expect(feed.isAccepting()).to.equal(true);
  });
});
