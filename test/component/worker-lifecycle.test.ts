import { expect } from "chai";
import { describe, it } from "mocha";
import type { Check } from "../../shared/check.ts";
import { createInProcessDatabaseServer } from "../../shared/in-process/database.ts";
import { InProcessEventLogServer } from "../../shared/in-process/event-log.ts";
import { createInProcessStoreServer } from "../../shared/in-process/revocation-store.ts";
import { silentLog } from "../../shared/log.ts";
import { createPlatform } from "../../shared/platform.ts";
import type { ConsumerOptions } from "../../shared/ports/event-log.ts";
import { startWorker } from "../../workers/start-worker.ts";
import { eventually } from "../support/eventually.ts";
import { createWorkerWorld } from "../support/worker-world.ts";

async function startWithListener() {
  const platform = createPlatform();
  const databases = createInProcessDatabaseServer();
  const stores = createInProcessStoreServer(platform);
  const logs = new InProcessEventLogServer(platform);
  const parts = { database: databases.connect(), store: stores.connect(), eventLog: logs.connect() };
  const settings = {
    namespace: "test",
    issuer: "https://quash.test",
    syncIntervalMs: 100,
    health: { host: "127.0.0.1", port: 0 },
  };
  const worker = await startWorker({ settings, platform, log: silentLog, parts });
  const get = (path: string) => fetch(`${worker.healthUrl}${path}`);
  return { worker, databases, stores, logs, get };
}

describe("worker: life", () => {
  it("starts with everything away and applies events once all of it is there", async () => {
    const world = await createWorkerWorld();
    const user = await world.addUser();
    await world.publish(world.ownEvent("user.deactivated", user.id, { epoch: 1 }));
    world.logServer.setAvailable(false);
    world.storeServer.setAvailable(false);
    world.databaseServer.setAvailable(false);
    const worker = await world.start();
    await world.platform.advance(30_000);
    expect(worker.hasJoined()).to.equal(false);
    world.databaseServer.setAvailable(true);
    world.storeServer.setAvailable(true);
    world.logServer.setAvailable(true);
    await world.platform.advance(5_000);
    expect(world.logServer.lag).to.equal(0);
    expect(await world.cutOffOf(user.id)).to.include({ epoch: 1 });
    await world.close();
  });

  it("makes the topics again while it is out of its group, and leaves them alone while it is in it", async () => {
    const world = await createWorkerWorld();
    const { eventLog } = world.connectParts();
    let [calls, isMember] = [0, true];
    const ensureTopics = async () => {
      calls += 1;
      if (calls === 2) throw new Error("not yet");
    };
    const startConsumer: typeof eventLog.startConsumer = async (options) => ({
      ...(await eventLog.startConsumer(options)),
      hasJoined: () => isMember,
    });
    await world.start({ eventLog: { ...eventLog, ensureTopics, startConsumer } });
    await world.platform.advance(30_000);
    expect(calls).to.equal(1);
    isMember = false;
    await world.platform.advance(10_000);
    expect(calls).to.equal(3);
    await world.close();
  });

  it("ends with a reason when the consumer ends for good", async () => {
    const world = await createWorkerWorld();
    const parts = world.connectParts();
    let given: ConsumerOptions | undefined;
    const eventLog = {
      ...parts.eventLog,
      startConsumer: (options: ConsumerOptions) => {
        given = options;
        return parts.eventLog.startConsumer(options);
      },
    };
    const worker = await world.start({ eventLog });
    given?.onCrash(new Error("not implemented"));
    const ended = await worker.closed.then(
      () => null,
      (error: unknown) => error,
    );
    expect(ended).to.be.an("error").with.property("cause").that.is.an("error");
    await world.close();
  });

  it("has ended, and says so, when something could not be closed", async () => {
    const world = await createWorkerWorld();
    const { eventLog } = world.connectParts();
    const startConsumer: typeof eventLog.startConsumer = async (options) => {
      const consumer = await eventLog.startConsumer(options);
      return {
        ...consumer,
        close: () => consumer.close().then(() => Promise.reject(new Error("no answer"))),
      };
    };
    const worker = await world.start({ eventLog: { ...eventLog, startConsumer } });
    await world.platform.advance(1_000);
    const ends = await Promise.allSettled([worker.close(), worker.closed]);
    expect(ends.map(({ status }) => status)).to.deep.equal(["rejected", "rejected"]);
  });

  it("leaves a batch that it cannot finish without a commit when it is closed", async () => {
    const world = await createWorkerWorld();
    await world.start();
    const user = await world.addUser();
    world.databaseServer.setAvailable(false);
    await world.publish(world.ownEvent("user.deactivated", user.id, { epoch: 1 }));
    await world.close();
    expect(world.logServer.lag).to.equal(1);
  });

  it("is ready when it has joined the group and both servers answer, and says what is missing", async () => {
    const { worker, stores, get } = await startWithListener();
    try {
      const ready = await eventually(async () => {
        const response = await get("/readyz");
        expect(response.status).to.equal(200);
        return response.json();
      });
      const ok = { status: "ok", detail: null, since: null };
      expect(ready).to.deep.equal({ status: "ok", checks: { kafka: ok, mongodb: ok, redis: ok } });
      stores.setAvailable(false);
      const unready = await get("/readyz");
      expect(unready.status).to.equal(503);
      const { checks } = (await unready.json()) as { checks: Record<string, Check> };
      expect(checks["redis"]).to.include({ status: "unavailable", detail: "redis does not answer" });
      expect(Date.parse(checks["redis"]?.since ?? "")).to.be.closeTo(Date.now(), 5_000);
      expect([checks["kafka"], checks["mongodb"]]).to.deep.equal([ok, ok]);
      expect((await get("/livez")).status).to.equal(200);
    } finally {
      await worker.close();
    }
  });

  it("shows its metrics, and nothing but what it has", async () => {
    const { worker, get } = await startWithListener();
    try {
      const metrics = await get("/metrics");
      expect(metrics.headers.get("content-type")).to.match(/^text\/plain/);
      expect(await metrics.text()).to.include("revocation_oldest_pending_seconds");
      expect((await get("/other")).status).to.equal(404);
      const posted = await fetch(`${worker.healthUrl}/livez`, { method: "POST" });
      expect([posted.status, posted.headers.get("allow")]).to.deep.equal([405, "GET, HEAD"]);
    } finally {
      await worker.close();
    }
  });
});
