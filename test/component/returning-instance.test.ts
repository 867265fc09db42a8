import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { createWorkerWorld, intercept, type WorkerWorld } from "../support/worker-world.ts";
import { settleAnew, startWorldInstance, type WorldInstance } from "../support/world-instance.ts";

describe("an instance that comes back while the pruner forgets it", () => {
  let world: WorkerWorld;
  let instance: WorldInstance;
  let beforeRemoval: () => Promise<void>;

  beforeEach(async () => {
    world = await createWorkerWorld();
    beforeRemoval = () => Promise.resolve();
    const { store } = world.connectParts();
    await world.start({
      store: intercept(store, "removeInstances", async (seen) => {
        if (Array.isArray(seen) && seen.length > 0) await beforeRemoval();
      }),
    });
    instance = await startWorldInstance(world);
    await world.platform.advance(3_000);
  });
  afterEach(async () => {
    instance.restore();
    await instance.close();
    await world.close();
  });

  /** It syncs once, and is cut off again, between what the pruner saw and what it does. */
  async function comeBackDuringRemoval(): Promise<void> {
    const removal = { isNear: false, goesOn: () => undefined as void };
    const gate = new Promise<void>((resolve) => void (removal.goesOn = resolve));
    beforeRemoval = () => {
      removal.isNear = true;
      return gate;
    };
    instance.cut();
    for (let minute = 0; minute < 70 && !removal.isNear; minute += 1) await world.platform.advance(60_000);
    expect(removal.isNear).to.equal(true);
    instance.restore();
    await world.platform.advance(1_500);
    instance.cut();
    removal.goesOn();
    await world.platform.advance(10);
  }

  it("is not forgotten, and no receipt says enforced while it accepts", async () => {
    const user = await world.addUser();
    const jti = await world.addToken(user.id);
    await comeBackDuringRemoval();
    const event = await world.changeUser(user.id, "user.deactivated");
    await world.publish(event);
    await world.platform.advance(20);
    const row = await world.rowOf(event);
    if (row === null) throw new Error("no row");
    expect(instance.accepts(user.id, jti)).to.equal(true);
    expect(await settleAnew(world)(row)).to.equal("applied");
    expect((await world.store.readInstances()).instances.map(({ id }) => id)).to.deep.equal(["one"]);
  });
});
