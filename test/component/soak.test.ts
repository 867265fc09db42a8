import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { createWorkerWorld, tokenLifetimeSeconds, type WorkerWorld } from "../support/worker-world.ts";
import { startWorldInstance, type WorldInstance } from "../support/world-instance.ts";

const hours = 6;
const users = 20;
const burstsInAnHour = 6;

describe("a system that runs for hours", () => {
  let world: WorkerWorld;
  let instance: WorldInstance;

  beforeEach(async () => {
    world = await createWorkerWorld();
    await world.start();
    instance = await startWorldInstance(world);
    await world.platform.advance(3_000);
  });
  afterEach(async () => {
    await instance.close();
    await world.close();
  });

  /** Everybody is deactivated and comes back again and again, with live tokens each time. */
  async function liveForAnHour(ids: readonly string[]): Promise<void> {
    for (let burst = 0; burst < burstsInAnHour; burst += 1) {
      for (const id of ids) {
        const { epoch = 0 } = (await world.database.users.findById(id)) ?? {};
        await world.addToken(id, { epoch });
        const away = await world.changeUser(id, "user.deactivated");
        await world.publish(away, await world.changeUser(id, "user.reactivated"));
        for (const { userId, event } of await world.database.users.listOutbox(10))
          await world.database.users.removeFromOutbox(userId, event.id);
      }
      await world.platform.advance(3_600_000 / burstsInAnHour);
    }
  }

  async function sizes() {
    const rows = await world.database.ledger.list({ limit: 10_000 });
    const marked = await world.database.ledger.listMarked(
      rows.map(({ eventId }) => eventId),
      { expiresAfterMs: 0, limit: 10_000 },
    );
    return {
      rows: rows.length,
      tokens: marked.length,
      inTheStore: (await world.contents()).length,
      inTheInstance: instance.entries(),
      timers: world.platform.waiting,
    };
  }

  it("holds no more after many hours than after two", async function () {
    this.timeout(120_000);
    const ids: string[] = [];
    for (let user = 0; user < users; user += 1) ids.push((await world.addUser()).id);
    await liveForAnHour(ids);
    await liveForAnHour(ids);
    const early = await sizes();
    expect(early.inTheInstance).to.be.at.least(users);
    for (let hour = 2; hour < hours; hour += 1) await liveForAnHour(ids);
    const late = await sizes();
    for (const [what, size] of Object.entries(early))
      expect(late[what as keyof typeof late], what).to.be.at.most(Math.ceil(size * 1.1));
  });

  it("holds nothing once the last token has long expired", async function () {
    this.timeout(120_000);
    const ids = [(await world.addUser()).id];
    await liveForAnHour(ids);
    expect((await sizes()).rows).to.be.at.least(1);
    await world.platform.advance((2 * tokenLifetimeSeconds + 3 * 3_600) * 1_000);
    expect(await sizes()).to.include({ tokens: 0, inTheStore: 0, inTheInstance: 0 });
  });
});
