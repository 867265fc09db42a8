import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { ledgerIdOf } from "../../shared/events/event-id.ts";
import { pendingRowOf } from "../../shared/revocation/pending-row.ts";
import { createWorkerWorld, issuer, type WorkerWorld } from "../support/worker-world.ts";

describe("revoker: upstream events", () => {
  let world: WorkerWorld;
  beforeEach(async () => {
    world = await createWorkerWorld();
    await world.start();
  });
  afterEach(() => world.close());

  it("deactivates the user, keeps the receipt on him, and cuts off below the new epoch", async () => {
    const user = await world.addUser();
    const jti = await world.addToken(user.id);
    await world.platform.advance(1_000);
    const event = world.event("user.deactivated", { subject: user.id, details: { reason: "left" } });
    await world.publish(event);
    const changed = await world.database.users.findById(user.id);
    const row = await world.rowOf(event);
    expect(changed).to.include({ status: "deactivated", epoch: 1 });
    expect(changed?.lastDeactivation).to.include({ eventId: row?.eventId, reason: "left" });
    expect(await world.cutOffOf(user.id)).to.include({ epoch: 1 });
    expect(await world.isTokenRevoked(jti)).to.equal(true);
    expect(row).to.include({ status: "applied", subject: user.id, epoch: 1, tokensRevoked: 1 });
  });

  it("finds the user by an external identity", async () => {
    const external = { iss: "https://idp.test", sub: "u-1" };
    const user = await world.addUser({ externalIds: [external] });
    await world.platform.advance(1_000);
    const event = world.event("user.deactivated", { details: { external } });
    await world.publish(event);
    expect(await world.database.users.findById(user.id)).to.include({ status: "deactivated" });
    expect(await world.rowOf(event)).to.include({ subject: user.id, epoch: 1 });
  });

  it("sets aside another event under a known source and id, and leaves the first one as it is", async () => {
    const user = await world.addUser();
    const first = world.event("token.revoked", { details: { jti: "nothing" } });
    await world.publish(first);
    const before = await world.rowOf(first);
    await world.publish(world.event("user.deactivated", { id: first.id, subject: user.id }));
    expect(world.deadLetterReasons()).to.deep.equal(["data-invalid"]);
    expect(await world.rowOf(first)).to.deep.equal(before);
    expect(await world.database.users.findById(user.id)).to.include({ status: "active" });
  });

  it("does not call the first one failed that still waits", async () => {
    const first = world.event("user.deactivated", { subject: "u" });
    const pending = pendingRowOf(first, {
      eventId: ledgerIdOf(first, "test"),
      isOwn: false,
      effectiveAtMs: first.timeMs,
      requestedAtMs: first.timeMs,
    });
    await world.database.ledger.insertPending([pending]);
    await world.publish({ ...first, subject: "somebody else" });
    expect(world.deadLetterReasons()).to.deep.equal(["data-invalid"]);
    expect((await world.rowOf(first))?.status).to.equal("pending");
    await world.publish(first);
    expect((await world.rowOf(first))?.status).to.equal("applied");
  });

  it("takes an event for itself when it comes again, also once its user is deleted and bears no name any more", async () => {
    const external = { iss: "https://idp.test", sub: "u-2" };
    await world.addUser({ externalIds: [external] });
    await world.platform.advance(1_000);
    const event = world.event("user.deleted", { details: { external } });
    for (let delivery = 0; delivery < 3; delivery += 1) await world.publish(event);
    expect(world.deadLetterReasons()).to.deep.equal([]);
    expect((await world.rowOf(event))?.status).to.equal("applied");
  });

  it("ignores an epoch that is not ours to give", async () => {
    const user = await world.addUser();
    await world.platform.advance(1_000);
    await world.publish(world.event("user.deactivated", { subject: user.id, details: { epoch: 99 } }));
    expect(await world.cutOffOf(user.id)).to.include({ epoch: 1 });
  });

  it("takes the append time where the event claims a later one", async () => {
    const user = await world.addUser();
    await world.platform.advance(1_000);
    const timeMs = world.platform.clock.wallMs() + 3_600_000;
    const event = world.event("user.deactivated", { subject: user.id, timeMs });
    await world.publish(event);
    expect((await world.rowOf(event))?.effectiveAtMs).to.equal(world.platform.clock.wallMs());
  });

  it("leaves a user reactivated who was reactivated after the deactivation that comes late", async () => {
    const user = await world.addUser();
    await world.platform.advance(1_000);
    const deactivated = world.event("user.deactivated", { subject: user.id });
    await world.platform.advance(1_000);
    await world.publish(world.event("user.reactivated", { subject: user.id }));
    await world.publish(deactivated);
    expect(await world.database.users.findById(user.id)).to.include({ status: "active", epoch: 0 });
  });

  it("kills by id what was issued before an event that comes late, and spares who signed in since", async () => {
    const user = await world.addUser();
    const before = await world.addToken(user.id);
    await world.platform.advance(1_000);
    const late = world.event("user.deactivated", { subject: user.id });
    await world.platform.advance(1_000);
    await world.publish(world.event("user.reactivated", { subject: user.id }));
    const since = await world.addToken(user.id);
    await world.platform.advance(1_000);
    await world.publish(late);
    expect(await world.isTokenRevoked(before)).to.equal(true);
    expect(await world.isTokenRevoked(since)).to.equal(false);
    expect(await world.rowOf(late)).to.include({ epoch: 0, tokensRevoked: 1 });
  });

  it("ends the sessions that an event which comes late was meant for, and spares those begun since", async () => {
    const user = await world.addUser();
    const before = await world.addSession(user.id);
    await world.platform.advance(1_000);
    const late = world.event("user.deactivated", { subject: user.id });
    await world.platform.advance(1_000);
    await world.publish(world.event("user.reactivated", { subject: user.id }));
    const since = await world.addSession(user.id);
    await world.publish(late);
    const { sessions } = world.database;
    expect((await sessions.findSession(before))?.endedAtMs).to.equal(world.platform.clock.wallMs());
    expect((await sessions.findSession(since))?.endedAtMs).to.equal(null);
  });

  it("takes an external identity of our own issuer for the user of that id", async () => {
    const user = await world.addUser();
    await world.platform.advance(1_000);
    const external = { iss: issuer, sub: user.id };
    const event = world.event("user.deactivated", { details: { external } });
    await world.publish(event);
    expect(await world.database.users.findById(user.id)).to.include({ status: "deactivated" });
    expect(await world.cutOffOf(user.id)).to.include({ epoch: 1 });
    expect(await world.rowOf(event)).to.include({ subject: user.id });
  });

  it("finds by the external identity whom it does not find by the subject", async () => {
    const external = { iss: "https://idp.test", sub: "u-1" };
    const user = await world.addUser({ externalIds: [external] });
    await world.platform.advance(1_000);
    const event = world.event("user.deactivated", { subject: "theirs", details: { external } });
    await world.publish(event);
    expect(await world.database.users.findById(user.id)).to.include({ status: "deactivated" });
    expect(await world.rowOf(event)).to.include({ subject: user.id, epoch: 1 });
  });

  it("cuts off the external identity of whom it knows by neither name, also when it is written again", async () => {
    const external = { iss: "https://idp.test", sub: "stranger" };
    await world.publish(world.event("user.deactivated", { subject: "theirs", details: { external } }));
    expect(await world.cutOffOf(external.sub, external.iss)).to.include({ epoch: 0 });
    world.storeServer.wipe();
    await world.platform.advance(3_000);
    expect(await world.cutOffOf(external.sub, external.iss)).to.include({ epoch: 0 });
  });

  it("kills nothing for a reactivation, however late it comes", async () => {
    const user = await world.addUser();
    const jti = await world.addToken(user.id);
    await world.platform.advance(1_000);
    const late = world.event("user.reactivated", { subject: user.id });
    await world.platform.advance(1_000);
    await world.publish(world.event("user.reactivated", { subject: user.id }), late);
    expect(await world.isTokenRevoked(jti)).to.equal(false);
    expect(await world.rowOf(late)).to.include({ status: "applied" });
  });

  it("raises nothing for an event that is published again", async () => {
    const user = await world.addUser();
    await world.platform.advance(1_000);
    const event = world.event("credentials.changed", { subject: user.id });
    await world.publish(event);
    await world.platform.advance(60_000);
    await world.publish(event, event);
    expect(await world.database.users.findById(user.id)).to.include({ epoch: 1 });
    expect(world.logServer.lag).to.equal(0);
  });

  it("cuts off by time whom it does not know", async () => {
    const external = { iss: "https://idp.test", sub: "stranger" };
    const event = world.event("user.deactivated", { details: { external } });
    await world.publish(event);
    const notBefore = Math.floor(world.platform.clock.wallMs() / 1_000);
    expect(await world.cutOffOf(external.sub, external.iss)).to.include({ epoch: 0, notBefore });
    expect(await world.rowOf(event)).to.include({ status: "applied", subject: null, notBefore });
  });

  it("cuts nobody off for the reactivation of somebody unknown", async () => {
    const event = world.event("user.reactivated", { subject: "stranger" });
    await world.publish(event);
    expect(await world.contents()).to.deep.equal([]);
    expect(await world.rowOf(event)).to.include({ status: "applied" });
  });
});
