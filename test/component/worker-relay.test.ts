import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { pendingRowOfOwnEvent } from "../../shared/revocation/pending-row.ts";
import { createWorkerWorld, intercept, type WorkerWorld } from "../support/worker-world.ts";

describe("relay", () => {
  let world: WorkerWorld;
  beforeEach(async () => {
    world = await createWorkerWorld();
  });
  afterEach(() => world.close());

  it("publishes what the API left in the outbox", async () => {
    await world.start();
    const user = await world.addUser();
    const event = await world.changeUser(user.id, "user.deactivated");
    await world.platform.advance(2_000);
    expect(await world.database.users.countOutbox()).to.equal(0);
    expect(world.logServer.read("events")).to.have.length(1);
    expect((await world.rowOf(event))?.appliedAtMs).to.be.a("number");
  });

  it("gives the API's own attempt half a second", async () => {
    await world.start();
    const user = await world.addUser();
    await world.changeUser(user.id, "user.deactivated");
    await world.platform.advance(300);
    expect(world.logServer.read("events")).to.have.length(0);
  });

  it("applies an event within 5 s while Kafka is away, and hands it over once Kafka is back", async () => {
    await world.start();
    world.logServer.setAvailable(false);
    const user = await world.addUser();
    const jti = await world.addToken(user.id);
    const event = await world.changeUser(user.id, "user.deactivated");
    await world.platform.advance(4_900);
    expect((await world.rowOf(event))?.appliedAtMs).to.be.a("number");
    expect(await world.cutOffOf(user.id)).to.include({ epoch: 1 });
    expect(await world.isTokenRevoked(jti)).to.equal(true);
    expect(await world.database.users.countOutbox()).to.equal(1);

    world.logServer.setAvailable(true);
    await world.platform.advance(3_000);
    expect(await world.database.users.countOutbox()).to.equal(0);
    expect(world.logServer.read("events")).to.have.length(1);
  });

  it("applies an event within 5 s while Kafka answers nothing at all", async () => {
    const parts = world.connectParts();
    const eventLog = intercept(parts.eventLog, "publish", () => new Promise(() => undefined));
    await world.start({ eventLog });
    const users = await Promise.all(Array.from({ length: 40 }, () => world.addUser()));
    const events = await Promise.all(users.map(({ id }) => world.changeUser(id, "user.deactivated")));
    await world.platform.advance(4_900);
    for (const event of events) expect((await world.rowOf(event))?.appliedAtMs).to.be.a("number");
  });

  it("applies an event within 5 s that a worker has in hand when Kafka stops answering", async () => {
    const { eventLog } = world.connectParts();
    const startConsumer: typeof eventLog.startConsumer = (options) =>
      eventLog.startConsumer({
        ...options,
        handleBatch: (batch) =>
          options.handleBatch({ ...batch, heartbeat: () => new Promise(() => undefined) }),
      });
    await world.start({ eventLog: { ...eventLog, startConsumer } });
    const user = await world.addUser();
    const jti = await world.addToken(user.id);
    const event = await world.changeUser(user.id, "user.deactivated");
    await world.publish(event);
    await world.platform.advance(4_900);
    expect((await world.rowOf(event))?.appliedAtMs).to.be.a("number");
    expect(await world.isTokenRevoked(jti)).to.equal(true);
  });

  it("applies an event within 5 s that Kafka took and nobody handles, as when a worker has died", async () => {
    const parts = world.connectParts();
    const nobody = { hasJoined: () => true, close: () => Promise.resolve() };
    await world.start({
      eventLog: { ...parts.eventLog, startConsumer: () => Promise.resolve(nobody) },
    });
    const user = await world.addUser();
    const jti = await world.addToken(user.id);
    const event = await world.changeUser(user.id, "user.deactivated");
    await world.platform.advance(4_900);
    expect(world.logServer.read("events")).to.have.length(1);
    expect((await world.rowOf(event))?.appliedAtMs).to.be.a("number");
    expect(await world.cutOffOf(user.id)).to.include({ epoch: 1 });
    expect(await world.isTokenRevoked(jti)).to.equal(true);
  });

  describe("beside events that this worker takes long for", () => {
    let inserted: string[];

    /** Notes an event 2.8 s after all else of it is done. */
    async function start(afterListing: () => Promise<unknown>): Promise<void> {
      const { database } = world.connectParts();
      inserted = [];
      const ledger: typeof database.ledger = {
        ...database.ledger,
        insertPending(rows) {
          inserted.push(...rows.map(({ eventId }) => eventId));
          return database.ledger.insertPending(rows);
        },
        async noteApplied(...noted) {
          await world.platform.timers.sleep(2_800);
          return database.ledger.noteApplied(...noted);
        },
        async listPending(...asked) {
          const rows = await database.ledger.listPending(...asked);
          await afterListing();
          return rows;
        },
      };
      await world.start({ database: { ...database, ledger } });
    }

    async function overdueEvent() {
      const event = world.ownEvent("user.signed-out", (await world.addUser()).id, { epoch: 1 });
      return { ...event, timeMs: event.timeMs - 60_000 };
    }

    for (const [title, listingMs] of [
      ["between two looks", 0],
      ["while it looks", 3_000],
    ] as const) {
      it(`leaves alone what ends ${title}`, async () => {
        await start(() => world.platform.timers.sleep(listingMs));
        await world.platform.advance(2_000);
        const event = await overdueEvent();
        await world.publish(event);
        await world.platform.advance(10_000);
        expect((await world.rowOf(event))?.appliedAtMs).to.be.a("number");
        expect(inserted).to.deep.equal([event.id]);
      });
    }

    it("leaves alone what begins while it looks", async () => {
      const event = await overdueEvent();
      await world.database.ledger.insertPending([pendingRowOfOwnEvent(event)]);
      let isPublished = false;
      await start(async () => {
        if (!isPublished) await world.publish(event);
        isPublished = true;
        await world.platform.timers.sleep(100);
      });
      await world.platform.advance(10_000);
      expect((await world.rowOf(event))?.appliedAtMs).to.be.a("number");
      expect(inserted).to.deep.equal([]);
    });
  });

  it("applies a burst of them within 5 s, too", async () => {
    const parts = world.connectParts();
    const nobody = { hasJoined: () => true, close: () => Promise.resolve() };
    await world.start({
      eventLog: { ...parts.eventLog, startConsumer: () => Promise.resolve(nobody) },
    });
    const users = await Promise.all(Array.from({ length: 1_000 }, () => world.addUser()));
    const events = users.map(({ id }) => world.ownEvent("user.deactivated", id, { epoch: 1 }));
    await world.database.ledger.insertPending(events.map(pendingRowOfOwnEvent));
    await world.platform.advance(4_900);
    for (const event of events) expect((await world.rowOf(event))?.appliedAtMs).to.be.a("number");
  });

  it("is not held up by a few events that take long", async () => {
    world.logServer.setAvailable(false);
    const slow = await Promise.all([1, 2, 3].map(() => world.addUser()));
    const parts = world.connectParts();
    const ledger = intercept(parts.database.ledger, "markTokens", async (_event, selection) => {
      if (slow.some(({ id }) => JSON.stringify(selection).includes(id)))
        await world.platform.timers.sleep(20_000);
    });
    await world.start({ database: { ...parts.database, ledger } });
    for (const { id } of slow) {
      await world.changeUser(id, "user.deactivated");
      await world.platform.advance(1_700);
    }
    const other = await world.addUser();
    const event = await world.changeUser(other.id, "user.deactivated");
    await world.platform.advance(4_900);
    expect((await world.rowOf(event))?.appliedAtMs).to.be.a("number");
    await world.platform.advance(20_000);
  });

  it("tells how old the oldest waiting event is, and notices that Kafka is back, while Redis is away", async () => {
    await world.start();
    world.logServer.setAvailable(false);
    world.storeServer.setAvailable(false);
    const user = await world.addUser();
    await world.changeUser(user.id, "user.deactivated");
    await world.platform.advance(20_000);
    const { values } = await world.metrics.oldestPendingSeconds.get();
    expect(values[0]?.value).to.be.at.least(15);

    world.logServer.setAvailable(true);
    await world.platform.advance(3_000);
    expect(await world.database.users.countOutbox()).to.equal(0);
    expect(world.logServer.read("events")).to.have.length(1);
  });

  it("applies an event once, however long Kafka stays away", async () => {
    const parts = world.connectParts();
    let looked = 0;
    const ledger = intercept(parts.database.ledger, "find", () => (looked += 1));
    await world.start({ database: { ...parts.database, ledger } });
    world.logServer.setAvailable(false);
    const user = await world.addUser();
    await world.changeUser(user.id, "user.deactivated");
    await world.platform.advance(30_000);
    expect(looked).to.equal(1);
  });

  it("reaches events beyond its page while Kafka is away", async () => {
    await world.start();
    world.logServer.setAvailable(false);
    const users = await Promise.all(Array.from({ length: 450 }, () => world.addUser()));
    const events = await Promise.all(users.map(({ id }) => world.changeUser(id, "user.signed-out")));
    await world.platform.advance(4_900);
    const rows = await Promise.all(events.map((event) => world.rowOf(event)));
    expect(rows.filter((row) => row?.appliedAtMs == null)).to.have.length(0);
  });

  it("hands over one user's events in their order", async () => {
    const user = await world.addUser();
    const first = await world.changeUser(user.id, "user.deactivated");
    const second = await world.changeUser(user.id, "user.reactivated");
    await world.start();
    await world.platform.advance(2_000);
    const ids = world.logServer.read("events").map(({ value }) => {
      const body: unknown = JSON.parse(Buffer.from(value ?? []).toString());
      return typeof body === "object" && body !== null && "id" in body ? body.id : null;
    });
    expect(ids).to.deep.equal([first.id, second.id]);
  });
});
