import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { createManualPlatform } from "../support/manual-clock.ts";
import { createApiWorld } from "../support/test-api.ts";
import { whileTimePasses } from "../support/while-time-passes.ts";
import { createWorkerWorld, type WorkerWorld } from "../support/worker-world.ts";
import { settleAnew, startWorldInstance, type WorldInstance } from "../support/world-instance.ts";

const stepMs = 120_000;

describe("a receipt after the store was wiped, repaired, and had its clock set ahead", () => {
  let world: WorkerWorld;
  let instance: WorldInstance;
  let steppedMs: number;

  beforeEach(async () => {
    world = await createWorkerWorld();
    steppedMs = 0;
    await world.start();
    const { clock } = world.platform;
    instance = await startWorldInstance(world, {
      clock: { ...clock, wallMs: () => clock.wallMs() - steppedMs },
    });
    await world.platform.advance(5_000);
  });
  afterEach(async () => {
    instance.restore();
    await instance.close();
    await world.close();
  });

  it("is not settled by one who has just begun to observe while a forgotten instance accepts", async () => {
    const user = await world.addUser();
    const jti = await world.addToken(user.id);
    instance.cut();
    world.storeServer.wipe();
    await world.platform.advance(1_500);
    // Of the servers and the worker alone.
    world.platform.stepWall(stepMs);
    steppedMs = stepMs;
    const event = await world.changeUser(user.id, "user.deactivated");
    await world.publish(event);
    await world.platform.advance(100);
    const row = await world.rowOf(event);
    if (row === null) throw new Error("no row");
    expect(instance.accepts(user.id, jti)).to.equal(true);
    expect(await settleAnew(world)(row)).to.equal("applied");
  });
});

describe("an instance that started after the store was repaired", () => {
  it("settles receipts itself once it has run for the bound", async () => {
    const platform = createManualPlatform();
    const world = await createApiWorld({ platform, settings: { SYNC_INTERVAL_MS: 1_000 } });
    const inTime = <T>(work: Promise<T>): Promise<T> => whileTimePasses(platform, work);
    await inTime(world.startWorker());
    world.storeServer.wipe();
    await platform.advance(8_000);
    const api = await inTime(world.startApi());
    const { id } = (await inTime(api.call("/me", { token: await inTime(api.signIn()) }))).body;
    await platform.advance(8_000);
    const token = await inTime(api.signIn());
    const asked = await inTime(api.call(`/users/${String(id)}/sign-out`, { method: "POST", token }));
    const eventId = String(asked.body["event_id"]);
    await platform.advance(60);
    const { ledger } = world.connectParts().database;
    expect(await ledger.find(eventId)).to.include({ status: "applied" });
    const receipt = await inTime(api.call(`/revocations/${eventId}`, { token: await inTime(api.signIn()) }));
    expect(receipt.body).to.include({ status: "enforced" });
    await inTime(world.close());
  });
});
