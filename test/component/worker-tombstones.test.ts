import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { dependencyUnavailable } from "../../shared/errors.ts";
import { createWorkerWorld, intercept, type WorkerWorld } from "../support/worker-world.ts";

const minuteMs = 60_000;

describe("pruner: tombstones", () => {
  let world: WorkerWorld;
  beforeEach(async () => {
    world = await createWorkerWorld();
  });
  afterEach(() => world.close());

  it("count from when they were made, whenever the deletion took effect", async () => {
    await world.start();
    const createdAtMs = world.platform.clock.wallMs() - 600 * minuteMs;
    const user = await world.addUser({ createdAtMs });
    const timeMs = createdAtMs + minuteMs;
    await world.publish(world.event("user.deleted", { subject: user.id, timeMs }));
    await world.platform.advance(19 * minuteMs);
    const tombstone = await world.database.users.findById(user.id);
    expect(tombstone).to.include({ status: "deleted", statusChangedAtMs: timeMs });
    await world.platform.advance(5 * minuteMs);
    expect(await world.database.users.findById(user.id)).to.equal(null);
  });

  it("stay while an event about them is pending", async () => {
    const parts = world.connectParts();
    let isBroken = true;
    const ledger = intercept(parts.database.ledger, "markTokens", () => {
      if (isBroken) throw dependencyUnavailable("mongodb", new Error("slow"));
    });
    await world.start({ database: { ...parts.database, ledger } });
    const external = { iss: "https://idp.test", sub: "u-1" };
    const user = await world.addUser({ externalIds: [external] });
    await world.platform.advance(1_000);
    const event = world.event("user.deleted", { details: { external } });
    await world.publish(event);
    await world.platform.advance(40 * minuteMs);
    expect(await world.database.users.findById(user.id)).to.include({ status: "deleted" });
    isBroken = false;
    await world.platform.advance(10_000);
    expect(await world.rowOf(event)).to.include({ subject: user.id, epoch: 1 });
    await world.platform.advance(3 * minuteMs);
    expect(await world.database.users.findById(user.id)).to.equal(null);
  });
});
