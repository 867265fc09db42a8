import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { createBlacklist } from "../../api/blacklist/blacklist.ts";
import { dependencyUnavailable } from "../../shared/errors.ts";
import type { QuashEvent } from "../../shared/events/event.ts";
import { pendingRowOfOwnEvent } from "../../shared/revocation/pending-row.ts";
import { receiveEvent } from "../../workers/revoker/received-event.ts";
import {
  createWorkerWorld,
  intercept,
  issuer,
  namespace,
  tokenLifetimeSeconds,
  type WorkerWorld,
} from "../support/worker-world.ts";

describe("revoker: events that retention took", () => {
  let world: WorkerWorld;
  beforeEach(async () => {
    world = await createWorkerWorld();
    await world.start();
    // A group that has committed, and a store that is prepared.
    await world.publish(world.event("user.signed-out", { subject: "somebody" }));
    await world.close();
    await world.platform.advance(1_000);
  });
  afterEach(() => world.close());

  /** They are published while no worker runs, and are gone before one comes. */
  async function lose(...events: readonly QuashEvent[]): Promise<void> {
    await world.publish(...events);
    world.logServer.deleteEventsBefore(Infinity);
  }

  /** A worker gets the event, changes the user, and dies before it has written anything else. */
  async function dieAfterTheChange(event: QuashEvent): Promise<void> {
    const parts = world.connectParts();
    const store = intercept(parts.store, "add", () => new Promise<never>(() => undefined));
    const eventLog = world.logServer.connect();
    await world.start({ ...parts, store, eventLog });
    await world.publish(event);
    await world.platform.advance(200);
    eventLog.kill();
    world.forgetWorkers();
  }

  async function isRefused(subject: string, jti: string, epoch = 0): Promise<boolean> {
    const { names, platform, store } = world;
    const blacklist = createBlacklist({ ...platform, ...names });
    for await (const chunk of store.load()) blacklist.apply(chunk);
    const iat = Math.floor(platform.clock.wallMs() / 1_000);
    const token = { iss: issuer, sub: subject, jti, iat, exp: iat + tokenLifetimeSeconds, epoch };
    return blacklist.isRevoked(token) !== null;
  }

  async function metric(name: string): Promise<number> {
    const text = await world.metrics.text();
    return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1]);
  }

  it("are counted, and nothing that comes behind them is lost", async () => {
    const user = await world.addUser();
    await world.platform.advance(1_000);
    await lose(world.event("user.deactivated", { subject: user.id }));
    const behind = world.event("credentials.changed", { subject: user.id });
    await world.publish(behind);
    await world.start();
    await world.platform.advance(1_000);
    expect(await metric("revocation_events_possibly_lost_total")).to.equal(1);
    expect(await world.rowOf(behind)).to.include({ epoch: 1 });
    expect(world.logServer.lag).to.equal(0);
  });

  it("are counted where the log ends before the commit, and nothing that comes then is lost", async () => {
    const user = await world.addUser();
    world.logServer.loseTheEnd();
    await world.start();
    await world.platform.advance(1_000);
    expect(await metric("revocation_events_possibly_lost_total")).to.equal(1);
    const event = world.event("credentials.changed", { subject: user.id });
    await world.publish(event);
    await world.platform.advance(1_000);
    expect(await world.rowOf(event)).to.include({ epoch: 1 });
    expect(world.logServer.lag).to.equal(0);
  });

  it("are no news to the next worker", async () => {
    await lose(world.event("user.deactivated", { subject: "somebody" }));
    for (let n = 0; n < 2; n += 1) {
      await world.start();
      await world.platform.advance(1_000);
    }
    expect(await metric("revocation_events_possibly_lost_total")).to.equal(1);
  });

  it("leave a deactivation in force whose worker died between the change and the ledger", async () => {
    const user = await world.addUser();
    const jti = await world.addToken(user.id);
    await world.platform.advance(1_000);
    const event = world.event("user.deactivated", { subject: user.id });
    await dieAfterTheChange(event);
    expect(await world.database.users.findById(user.id)).to.include({ status: "deactivated", epoch: 1 });
    expect(await isRefused(user.id, jti)).to.equal(false);
    world.logServer.deleteEventsBefore(Infinity);
    await world.start();
    await world.platform.advance(3_000);
    expect(await isRefused(user.id, jti)).to.equal(true);
    expect(await world.cutOffOf(user.id)).to.include({ epoch: 1 });
    expect(await world.isTokenRevoked(jti)).to.equal(true);
    expect(await world.rowOf(event)).to.include({ status: "enforced", epoch: 1, tokensRevoked: 1 });
  });

  it("leave one in force who was reactivated meanwhile, and spare who signed in since", async () => {
    const user = await world.addUser();
    const before = await world.addToken(user.id);
    await world.platform.advance(1_000);
    await dieAfterTheChange(world.event("user.deactivated", { subject: user.id }));
    await world.platform.advance(1_000);
    await world.changeUser(user.id, "user.reactivated");
    const since = await world.addToken(user.id, { epoch: 1 });
    world.logServer.deleteEventsBefore(Infinity);
    await world.start();
    await world.platform.advance(1_000);
    expect(await isRefused(user.id, before)).to.equal(true);
    expect(await isRefused(user.id, since, 1)).to.equal(false);
    expect(await world.database.users.findById(user.id)).to.include({ status: "active", epoch: 1 });
  });

  it("are applied from the row that a suspended worker wrote after the others had made good what they could", async () => {
    const user = await world.addUser();
    const jti = await world.addToken(user.id);
    await world.platform.advance(1_000);
    const event = world.event("user.deactivated", { subject: user.id });
    await lose(event);
    await world.start();
    await world.platform.advance(1_000);
    const { pendingRow } = receiveEvent(event, { namespace });
    await world.database.ledger.insertPending([pendingRow]);
    await world.platform.advance(25_000);
    expect(await world.rowOf(event)).to.include({ status: "enforced", epoch: 1 });
    expect(await isRefused(user.id, jti)).to.equal(true);
  });

  for (const change of ["user.deactivated", "user.deleted", "user.signed-out"] as const) {
    it(`are made good for a ${change} of which not even a row is left`, async () => {
      const user = await world.addUser();
      const jti = await world.addToken(user.id);
      await world.platform.advance(1_000);
      const event = await world.changeUser(user.id, change);
      await world.database.users.removeFromOutbox(user.id, event.id);
      await lose(event);
      await world.start();
      await world.platform.advance(3_000);
      expect(await isRefused(user.id, jti)).to.equal(true);
      expect(await world.isTokenRevoked(jti)).to.equal(true);
      const rows = await world.database.ledger.list({ subject: user.id, limit: 10 });
      expect(rows).to.have.lengthOf(1);
      expect(rows[0]).to.include({ type: change, reason: "reconciled", epoch: 1, status: "enforced" });
    });
  }

  it("are made good for a token and a session whose rows wait", async () => {
    const user = await world.addUser();
    const [named, sid] = [await world.addToken(user.id), await world.addSession(user.id)];
    const ofSession = await world.addToken(user.id, { sid });
    const events = [
      world.ownEvent("token.revoked", user.id, { jti: named }),
      world.ownEvent("user.signed-out", user.id, { epoch: 0, sid }),
    ];
    await world.database.ledger.insertPending(events.map(pendingRowOfOwnEvent));
    await lose(...events);
    await world.start();
    await world.platform.advance(1_000);
    for (const jti of [named, ofSession]) expect(await world.isTokenRevoked(jti)).to.equal(true);
    expect(await world.cutOffOf(user.id)).to.equal(undefined);
    expect(await world.database.ledger.listPending(1)).to.deep.equal([]);
  });

  it("are looked for among the rows that wait, not among all that live", async () => {
    const user = await world.addUser();
    const event = world.ownEvent("token.revoked", user.id, { jti: await world.addToken(user.id) });
    await world.database.ledger.insertPending([pendingRowOfOwnEvent(event)]);
    await lose(event);
    const parts = world.connectParts();
    const ledger = intercept(parts.database.ledger, "listLive", () => {
      throw dependencyUnavailable("mongodb", new Error("too many"));
    });
    await world.start({ ...parts, database: { ...parts.database, ledger } });
    await world.platform.advance(1_500);
    expect(await world.rowOf(event)).to.include({ status: "enforced" });
  });

  it("are made good once by two workers at once, and again by none", async () => {
    const users = await Promise.all(Array.from({ length: 40 }, () => world.addUser()));
    await world.platform.advance(1_000);
    const events: QuashEvent[] = [];
    for (const { id } of users) {
      const event = await world.changeUser(id, "user.deactivated");
      await world.database.users.removeFromOutbox(id, event.id);
      events.push(event);
    }
    await lose(...events);
    await Promise.all([world.start(), world.start()]);
    await world.platform.advance(1_000);
    for (const { id } of users) {
      expect(await world.cutOffOf(id)).to.include({ epoch: 1 });
      expect(await world.database.ledger.list({ subject: id, limit: 10 })).to.have.lengthOf(1);
    }
    await world.close();
    const { head } = await world.store.readState();
    await lose(world.event("user.signed-out", { subject: "somebody" }));
    await world.start();
    await world.platform.advance(1_000);
    expect((await world.store.readState()).head).to.equal(head);
  });

  it("add nothing for a user whom a row cuts off already", async () => {
    const user = await world.addUser();
    await world.platform.advance(1_000);
    await world.start();
    await world.publish(world.event("user.deactivated", { subject: user.id }));
    await world.close();
    await lose(world.event("user.signed-out", { subject: "somebody" }));
    await world.start();
    await world.platform.advance(1_000);
    expect(await world.database.ledger.list({ subject: user.id, limit: 10 })).to.have.lengthOf(1);
  });

  it("bring nothing back of a user whose last token has expired", async () => {
    const user = await world.addUser();
    const event = await world.changeUser(user.id, "user.deactivated");
    await world.database.users.removeFromOutbox(user.id, event.id);
    await world.platform.advance(tokenLifetimeSeconds * 1_000 + 600_000);
    await lose(event);
    await world.start();
    await world.platform.advance(1_000);
    expect(await world.database.ledger.list({ subject: user.id, limit: 10 })).to.deep.equal([]);
  });

  for (const part of ["MongoDB", "Redis"] as const) {
    it(`hold up the commit until they are made good while ${part} is away`, async () => {
      const user = await world.addUser();
      await world.platform.advance(1_000);
      const event = await world.changeUser(user.id, "user.deactivated");
      await world.database.users.removeFromOutbox(user.id, event.id);
      await lose(event);
      const behind = { ...world.event("user.signed-out", { subject: user.id }) };
      await world.publish(behind);
      const server = part === "MongoDB" ? world.databaseServer : world.storeServer;
      server.setAvailable(false);
      await world.start();
      await world.platform.advance(30_000);
      expect(world.logServer.lag).to.equal(1);
      server.setAvailable(true);
      await world.platform.advance(10_000);
      expect(world.logServer.lag).to.equal(0);
      expect(await world.cutOffOf(user.id)).to.include({ epoch: 1 });
      expect(await metric("revocation_events_possibly_lost_total")).to.equal(1);
    });
  }

  it("keep what is behind them waiting until they are made good", async () => {
    const parts = world.connectParts();
    let isAway = true;
    const users = intercept(parts.database.users, "listStates", () => {
      if (isAway) throw dependencyUnavailable("mongodb", new Error("too slow"));
    });
    await lose(world.event("user.deactivated", { subject: "somebody" }));
    const behind = world.event("user.signed-out", { subject: "somebody" });
    await world.publish(behind);
    await world.start({ database: { ...parts.database, users } });
    await world.platform.advance(30_000);
    expect(await world.rowOf(behind)).to.equal(null);
    expect(world.logServer.lag).to.equal(1);
    isAway = false;
    await world.platform.advance(5_000);
    expect(await world.rowOf(behind)).to.include({ subject: "somebody" });
    expect(await metric("revocation_events_possibly_lost_total")).to.equal(1);
  });

  it("hold up nobody for a row that nothing can come of", async () => {
    const user = await world.addUser();
    const nothing = world.ownEvent("user.deactivated", user.id, {});
    await world.database.ledger.insertPending([pendingRowOfOwnEvent(nothing)]);
    const other = await world.addUser();
    const event = world.ownEvent("user.deactivated", other.id, { epoch: 1 });
    await world.database.ledger.insertPending([pendingRowOfOwnEvent(event)]);
    await lose(nothing, event);
    await world.start();
    await world.platform.advance(1_000);
    expect(await world.cutOffOf(other.id)).to.include({ epoch: 1 });
    expect(world.logServer.lag).to.equal(0);
  });
});

describe("revoker: a group that is new to a log which retention has been at", () => {
  it("reconciles, and counts nothing as lost", async () => {
    const world = await createWorkerWorld();
    const user = await world.addUser();
    const event = await world.changeUser(user.id, "user.deactivated");
    await world.database.users.removeFromOutbox(user.id, event.id);
    await world.publish(event);
    world.logServer.deleteEventsBefore(Infinity);
    await world.start();
    await world.platform.advance(1_000);
    expect(await world.cutOffOf(user.id)).to.include({ epoch: 1 });
    expect(await world.metrics.text()).to.match(/^revocation_events_possibly_lost_total 0$/m);
    await world.close();
  });
});
