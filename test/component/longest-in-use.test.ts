import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { createWorkerWorld, type WorkerWorld } from "../support/worker-world.ts";
import { settleAnew, startWorldInstance, type WorldInstance } from "../support/world-instance.ts";

const longStalenessMs = 60_000;
const hourMs = 3_600_000;

describe("the longest staleness in use", () => {
  let world: WorkerWorld;
  let instances: WorldInstance[];

  beforeEach(async () => {
    world = await createWorkerWorld();
    instances = [];
    await world.start();
    await world.platform.advance(2_000);
  });
  afterEach(async () => {
    for (const instance of instances) instance.restore();
    for (const instance of instances) await instance.close();
    await world.close();
  });

  async function start(options: Parameters<typeof startWorldInstance>[1] = {}): Promise<WorldInstance> {
    const instance = await startWorldInstance(world, options);
    instances.push(instance);
    return instance;
  }
  const heldByFence = async () => (await world.database.ledger.readFence())?.longest.maxStalenessMs;
  async function deactivated() {
    const user = await world.addUser();
    const jti = await world.addToken(user.id);
    const event = await world.changeUser(user.id, "user.deactivated");
    await world.publish(event);
    return { user, jti, event };
  }

  it("is raised by a worker for an instance that cannot raise it, which does not accept before", async () => {
    const instance = await start({ maxStalenessMs: longStalenessMs });
    await world.platform.settle();
    expect((await world.store.readInstances()).instances).to.have.length(1);
    expect([instance.feed.isAccepting(), await heldByFence()]).to.deep.equal([false, 5_000]);
    for (let ms = 0; ms < 3_300; ms += 50) {
      await world.platform.advance(50);
      if ((await heldByFence()) === 5_000) expect(instance.feed.isAccepting()).to.equal(false);
    }
    expect([instance.feed.isAccepting(), await heldByFence()]).to.deep.equal([true, longStalenessMs]);
  });

  it("is what receipts wait for when a wiped store has forgotten an instance that accepts for so long", async () => {
    const instance = await start({ maxStalenessMs: longStalenessMs });
    await world.platform.advance(4_000);
    instance.cut();
    world.storeServer.wipe();
    await world.platform.advance(2_000);
    const { user, jti, event } = await deactivated();
    const settle = settleAnew(world);
    for (let seconds = 0; seconds < 50; seconds += 10) {
      await world.platform.advance(10_000);
      const row = await world.rowOf(event);
      if (row === null) throw new Error("no row");
      expect(instance.accepts(user.id, jti)).to.equal(true);
      expect(await settle(row)).to.equal("applied");
    }
  });

  it("is lowered once the last instance that had it is long gone, so that receipts wait no longer", async () => {
    await start();
    const long = await start({ instanceId: "long", policy: "best_effort" });
    await world.platform.advance(3_000);
    await long.close();
    await world.platform.advance(2.2 * hourMs);
    expect(await heldByFence()).to.equal(hourMs);
    await world.platform.advance(2 * hourMs);
    expect(await heldByFence()).to.equal(5_000);

    world.storeServer.wipe();
    await world.platform.advance(2_000);
    const { event } = await deactivated();
    await world.platform.advance(10_000);
    expect(await world.rowOf(event)).to.include({ status: "enforced" });
  }).timeout(60_000);
});
