import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { dependencyUnavailable } from "../../shared/errors.ts";
import { pendingRowOfOwnEvent } from "../../shared/revocation/pending-row.ts";
import { createApplyEvent } from "../../workers/revoker/apply-event.ts";
import { receiveEvent } from "../../workers/revoker/received-event.ts";
import { report } from "../support/instance-report.ts";
import { pendingRow } from "../support/ledger-rows.ts";
import {
  createWorkerWorld,
  intercept,
  namespace,
  tokenLifetimeSeconds,
  type WorkerWorld,
} from "../support/worker-world.ts";

const minuteMs = 60_000;
const noAnswer = { status: 204, location: null, contentType: null, body: "", problem: null };

describe("pruner: purge", () => {
  let world: WorkerWorld;
  beforeEach(async () => {
    world = await createWorkerWorld();
    await world.start();
  });
  afterEach(() => world.close());

  /** In steps that leave the purge its turns. */
  async function advanceMinutes(minutes: number): Promise<void> {
    await world.platform.advance(minutes * minuteMs);
  }

  it("removes tokens and sessions once they have been expired for the clock error allowed", async () => {
    const user = await world.addUser();
    const jti = await world.addToken(user.id);
    const sid = world.platform.ids.uuid();
    const nowMs = world.platform.clock.wallMs();
    const times = { createdAtMs: nowMs, expiresAtMs: nowMs + tokenLifetimeSeconds * 1_000 };
    const session = { sid, subject: user.id, epoch: 0, refreshHash: "", ...times };
    await world.database.sessions.createSession(session);
    await advanceMinutes(19);
    expect(await world.database.sessions.findToken(jti)).to.not.equal(null);
    await advanceMinutes(4);
    expect(await world.database.sessions.findToken(jti)).to.equal(null);
    expect(await world.database.sessions.findSession(sid)).to.equal(null);
  });

  it("removes calls with an Idempotency-Key once they have been expired for the clock error allowed", async () => {
    const { idempotency } = world.database;
    const nowMs = world.platform.clock.wallMs();
    const call = { id: "c", fingerprint: "f", holder: "h", nowMs, abandonedAtMs: 0, expiresAtMs: nowMs + 1 };
    await idempotency.begin(call);
    await advanceMinutes(3);
    expect(await idempotency.finish("c", "another", noAnswer)).to.equal(false);
    expect(await idempotency.finish("c", "h", noAnswer)).to.equal(true);
    await advanceMinutes(20);
    expect(await idempotency.purge(nowMs + minuteMs, 1)).to.equal(0);
  });

  it("removes used assertions once nobody would take them any more", async () => {
    const { clients } = world.database;
    const expiresAtMs = world.platform.clock.wallMs() + 5 * minuteMs;
    await clients.useAssertion({ key: "a1", expiresAtMs });
    await advanceMinutes(10);
    expect(await clients.useAssertion({ key: "a1", expiresAtMs })).to.equal(false);
    await advanceMinutes(10);
    expect(await clients.useAssertion({ key: "a1", expiresAtMs })).to.equal(true);
  });

  it("keeps what became of a deactivation on its user before the row goes", async () => {
    const user = await world.addUser();
    await world.platform.advance(1_000);
    const event = world.event("user.deactivated", { subject: user.id });
    await world.publish(event);
    const row = await world.rowOf(event);
    await advanceMinutes(25);
    expect(await world.rowOf(event)).to.equal(null);
    const kept = (await world.database.users.findById(user.id))?.lastDeactivation;
    expect(kept).to.include({ eventId: row?.eventId, appliedAtMs: row?.appliedAtMs });
    expect(kept?.enforcedAtMs).to.be.a("number");
  });

  /** It stays silent: nobody can say that it enforces anything before its lease has run out. */
  async function registerForAnHour(): Promise<void> {
    await world.store.sync({ ...report("silent", null), maxStalenessMs: 3_600_000 });
    await world.platform.advance(2_000);
  }

  it("keeps a row that is applied for as long as its receipt may still be settled", async () => {
    await registerForAnHour();
    const user = await world.addUser();
    await world.platform.advance(1_000);
    const event = world.event("user.deactivated", { subject: user.id });
    await world.publish(event);
    await advanceMinutes(40);
    expect(await world.rowOf(event)).to.include({ status: "applied" });
    await advanceMinutes(40);
    const kept = (await world.database.users.findById(user.id))?.lastDeactivation;
    expect(kept?.enforcedAtMs).to.be.a("number");
  });

  it("removes a row whose receipt nothing can settle any more", async () => {
    await world.close();
    const parts = world.connectParts();
    const ledger = intercept(parts.database.ledger, "noteEnforced", () => {
      throw dependencyUnavailable("mongodb", new Error("refuses what is noted"));
    });
    await world.start({ database: { ...parts.database, ledger } });
    const user = await world.addUser();
    const event = world.ownEvent("user.deactivated", user.id, { epoch: 1 });
    await world.publish(event);
    await advanceMinutes(70);
    expect(await world.rowOf(event)).to.include({ status: "applied" });
    await advanceMinutes(30);
    expect(await world.rowOf(event)).to.equal(null);
  });

  it("removes a tombstone only after the last token that it could match", async () => {
    const user = await world.addUser();
    await world.changeUser(user.id, "user.deleted");
    await advanceMinutes(19);
    expect(await world.database.users.findById(user.id)).to.include({ status: "deleted" });
    await advanceMinutes(5);
    expect(await world.database.users.findById(user.id)).to.equal(null);
  });

  it("spares a failed row whose event is applied after all while it is about to go", async () => {
    const user = await world.addUser();
    const { database, store, platform } = world;
    const { ledger } = database;
    const { applyEvent } = createApplyEvent({ ...world.applyDeps, ledger, store });
    const event = world.ownEvent("user.deactivated", user.id, { epoch: 1 });
    await world.close();
    await ledger.insertPending([pendingRowOfOwnEvent(event)]);
    await ledger.noteFailed(event.id, { untilMs: platform.clock.wallMs() });
    const parts = world.connectParts();
    const replayed = { times: 0 };
    const replay = async () => {
      replayed.times += 1;
      await applyEvent(receiveEvent(event, { namespace }), { heartbeat: () => Promise.resolve() });
    };
    const racing = intercept(parts.database.ledger, "removeRows", replay);
    await world.start({ ...parts, database: { ...parts.database, ledger: racing } });
    for (let minutes = 0; minutes < 60 && replayed.times === 0; minutes += 1) await advanceMinutes(1);
    expect(replayed.times).to.equal(1);
    expect((await world.rowOf(event))?.appliedAtMs).to.be.a("number");
    world.storeServer.wipe();
    await advanceMinutes(1);
    expect(await world.cutOffOf(user.id)).to.include({ epoch: 1 });
  });

  it("never removes a pending row", async () => {
    await world.close();
    const parts = world.connectParts();
    const ledger = intercept(parts.database.ledger, "noteApplied", () => {
      throw dependencyUnavailable("mongodb", new Error("refuses what is noted"));
    });
    await world.start({ database: { ...parts.database, ledger } });
    const row = pendingRow({ eventId: "of another system", source: "/hr" });
    await world.database.ledger.insertPending([row]);
    await advanceMinutes(60);
    expect(await world.database.ledger.find(row.eventId)).to.include({ status: "pending" });
  });

  it("forgets an instance that has been silent for its bound and an hour, and keeps a silent one until then", async () => {
    await world.store.sync(report("gone", null));
    await advanceMinutes(55);
    expect((await world.store.readInstances()).instances).to.have.length(1);
    await advanceMinutes(7);
    expect((await world.store.readInstances()).instances).to.deep.equal([]);
  });

  it("forgets no instance because the store's clock steps ahead", async () => {
    await world.store.sync({ ...report("there", null), maxStalenessMs: 3_600_000 });
    world.platform.stepWall(24 * 60 * minuteMs);
    await advanceMinutes(3);
    expect((await world.store.readInstances()).instances).to.have.length(1);
  });

  it("trims the feed, and what has expired leaves the store", async () => {
    const user = await world.addUser();
    await world.publish(world.ownEvent("user.deactivated", user.id, { epoch: 1 }));
    const { incarnation } = await world.store.readState();
    expect(await world.contents()).to.have.length(1);
    await advanceMinutes(60);
    expect(await world.contents()).to.deep.equal([]);
    const { entries } = await world.store.sync(report("late", incarnation));
    expect(entries).to.deep.equal([]);
  });

  it("keeps of the feed what an instance may still follow that accepts for an hour", async () => {
    await registerForAnHour();
    const user = await world.addUser();
    await world.publish(world.ownEvent("user.deactivated", user.id, { epoch: 1 }));
    const { incarnation } = await world.store.readState();
    await advanceMinutes(70);
    expect((await world.store.sync(report("late", incarnation))).entries).to.have.length(1);
    await advanceMinutes(10);
    expect((await world.store.sync(report("later", incarnation))).entries).to.have.length(0);
  });

  it("drops nothing because it starts with its clock ahead", async () => {
    await world.close();
    world.forgetWorkers();
    const user = await world.addUser();
    const jti = await world.addToken(user.id);
    world.platform.stepWall(10 * 24 * 60 * minuteMs);
    await world.start();
    await advanceMinutes(14);
    expect(await world.database.sessions.findToken(jti)).to.not.equal(null);
    await advanceMinutes(4);
    expect(await world.database.sessions.findToken(jti)).to.equal(null);
  });

  it("drops nothing because the wall clock steps ahead", async () => {
    await advanceMinutes(20);
    const user = await world.addUser();
    const jti = await world.addToken(user.id);
    world.platform.stepWall(60 * minuteMs);
    await advanceMinutes(5);
    expect(await world.database.sessions.findToken(jti)).to.not.equal(null);
  });
});
