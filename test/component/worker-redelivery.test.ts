import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { QuashEvent } from "../../shared/events/event.ts";
import type { Parts } from "../../shared/ports/parts.ts";
import { createWorkerWorld, intercept, type WorkerWorld } from "../support/worker-world.ts";

type Stop = () => Promise<never>;
type Break = (parts: Parts, stop: Stop) => Partial<Parts>;

const withLedger = (parts: Parts, ledger: Parts["database"]["ledger"]) => ({
  database: { ...parts.database, ledger },
});
const beforeLedger =
  (name: keyof Parts["database"]["ledger"]): Break =>
  (parts, stop) =>
    withLedger(parts, intercept(parts.database.ledger, name, stop));
const beforeUsers =
  (...names: (keyof Parts["database"]["users"])[]): Break =>
  (parts, stop) => {
    const users = names.reduce((port, name) => intercept(port, name, stop), parts.database.users);
    return { database: { ...parts.database, users } };
  };
const beforeAdd: Break = (parts, stop) => ({ store: intercept(parts.store, "add", stop) });

const whileWriting: Readonly<Record<string, Break>> = {
  "the tokens were marked": beforeLedger("listMarked"),
  "the tokens were written": beforeLedger("noteApplied"),
  "the row was noted": (parts, stop) => {
    let isNoted = false;
    const { ledger } = parts.database;
    const noting = intercept(ledger, "noteApplied", () => (isNoted = true));
    const fence = intercept(noting, "readFence", () => (isNoted ? stop() : undefined));
    return withLedger(parts, fence);
  },
};
/** After which step the worker dies: its next call never comes back. */
const deaths: Readonly<Record<"upstream" | "own", Readonly<Record<string, Break>>>> = {
  upstream: {
    "it was received": beforeUsers("findById", "findByExternalIdentity"),
    "the user was found": beforeLedger("find"),
    "the row was missed": beforeLedger("insertPending"),
    "the pending row was written": beforeUsers("change"),
    "the user was changed": beforeAdd,
    "the cut-off was written": beforeLedger("markTokens"),
    ...whileWriting,
  },
  own: {
    "it was received": beforeAdd,
    "the cut-off was written": beforeLedger("find"),
    "the row was missed": beforeLedger("insertPending"),
    "the pending row was written": beforeLedger("markTokens"),
    ...whileWriting,
  },
};

describe("revoker: redelivery", () => {
  let world: WorkerWorld;
  beforeEach(async () => {
    world = await createWorkerWorld();
  });
  afterEach(() => world.close());

  /** A worker gets the event and dies; nobody takes its place yet. */
  async function dieAt(event: QuashEvent, breakParts: Break): Promise<void> {
    const parts = world.connectParts();
    let isDead = false;
    const stop = () => {
      isDead = true;
      return new Promise<never>(() => undefined);
    };
    const eventLog = world.logServer.connect();
    await world.start({ ...parts, ...breakParts(parts, stop), eventLog });
    await world.publish(event);
    await world.platform.advance(200);
    expect(isDead).to.equal(true);
    expect(world.logServer.lag).to.equal(1);
    eventLog.kill();
    world.forgetWorkers();
  }

  async function prepareStore(): Promise<void> {
    await world.start();
    await world.close();
  }

  async function redeliver(event: QuashEvent): Promise<void> {
    await world.start();
    await world.platform.advance(1_000);
    expect(world.logServer.lag).to.equal(0);
    expect((await world.rowOf(event))?.appliedAtMs).to.be.a("number");
    expect(world.deadLetterReasons()).to.deep.equal([]);
  }

  for (const [when, breakParts] of Object.entries(deaths.upstream)) {
    it(`brings about an upstream deactivation whose worker died after ${when}`, async () => {
      await prepareStore();
      const user = await world.addUser();
      const jti = await world.addToken(user.id);
      await world.platform.advance(1_000);
      const event = world.event("user.deactivated", { subject: user.id });
      await dieAt(event, breakParts);
      await redeliver(event);
      expect(await world.database.users.findById(user.id)).to.include({ status: "deactivated", epoch: 1 });
      expect(await world.cutOffOf(user.id)).to.include({ epoch: 1 });
      expect(await world.isTokenRevoked(jti)).to.equal(true);
      expect(await world.rowOf(event)).to.include({ subject: user.id, epoch: 1, tokensRevoked: 1 });
    });

    it(`brings about a deletion by external identity whose worker died after ${when}`, async () => {
      await prepareStore();
      const external = { iss: "https://idp.test", sub: "u-1" };
      const user = await world.addUser({ externalIds: [external] });
      const jti = await world.addToken(user.id);
      await world.platform.advance(1_000);
      const event = world.event("user.deleted", { details: { external } });
      await dieAt(event, breakParts);
      await redeliver(event);
      expect(await world.database.users.findById(user.id)).to.include({ status: "deleted", epoch: 1 });
      expect(await world.cutOffOf(user.id)).to.include({ epoch: 1 });
      expect(await world.isTokenRevoked(jti)).to.equal(true);
      expect(await world.cutOffOf(external.sub, external.iss)).to.equal(undefined);
      expect(await world.rowOf(event)).to.include({ subject: user.id, epoch: 1, tokensRevoked: 1 });
    });

    it(`spares who signs in once his sign-out raised the epoch, though its worker died after ${when}`, async () => {
      await prepareStore();
      const user = await world.addUser();
      const before = await world.addToken(user.id);
      await world.platform.advance(1_000);
      // The broker's clock, and the sender's, are ahead of the one that tokens are issued by.
      world.platform.stepWall(5_000);
      const event = world.event("user.signed-out", { subject: user.id });
      await dieAt(event, breakParts);
      world.platform.stepWall(-5_000);
      await world.platform.advance(1_000);
      const { epoch = 0 } = (await world.database.users.findById(user.id)) ?? {};
      const sid = await world.addSession(user.id, epoch);
      const since = await world.addToken(user.id, { epoch, sid });
      await redeliver(event);
      expect(await world.database.users.findById(user.id)).to.include({ status: "active", epoch: 1 });
      expect(await world.cutOffOf(user.id)).to.include({ epoch: 1 });
      expect(await world.isTokenRevoked(before)).to.equal(true);
      expect(await world.isTokenRevoked(since)).to.equal(epoch === 0);
      expect((await world.database.sessions.findSession(sid))?.endedAtMs).to.equal(null);
    });
  }

  for (const [when, breakParts] of Object.entries(deaths.own)) {
    it(`brings about an event of ours whose worker died after ${when}`, async () => {
      await prepareStore();
      const user = await world.addUser();
      const jti = await world.addToken(user.id);
      const event = world.ownEvent("user.deactivated", user.id, { epoch: 1 });
      await dieAt(event, breakParts);
      await redeliver(event);
      expect(await world.cutOffOf(user.id)).to.include({ epoch: 1 });
      expect(await world.isTokenRevoked(jti)).to.equal(true);
      expect(await world.rowOf(event)).to.include({ epoch: 1, tokensRevoked: 1 });
    });
  }

  it("does not touch the store for an event whose row is applied", async () => {
    await world.start();
    const user = await world.addUser();
    await world.platform.advance(1_000);
    const event = world.event("user.signed-out", { subject: user.id });
    await world.publish(event);
    const { head } = await world.store.readState();
    await world.publish(event);
    expect((await world.store.readState()).head).to.equal(head);
    expect(await world.rowOf(event)).to.include({ position: head });
  });

  it("writes an applied event again when its row is noted under another incarnation", async () => {
    await world.start();
    const user = await world.addUser();
    const event = world.ownEvent("user.deactivated", user.id, { epoch: 1 });
    await world.publish(event);
    const before = await world.rowOf(event);
    world.storeServer.wipe();
    await world.platform.advance(2_000);
    await world.publish(event);
    const { incarnation } = await world.store.readState();
    expect(incarnation).to.be.a("string").that.is.not.equal(before?.incarnation);
    expect(await world.cutOffOf(user.id)).to.include({ epoch: 1 });
    expect(world.logServer.lag).to.equal(0);
  });

  it("starts again when the fence shows that the incarnation changed on the way", async () => {
    const parts = world.connectParts();
    let isSwapped = false;
    const ledger = intercept(parts.database.ledger, "noteApplied", async () => {
      if (isSwapped) return;
      isSwapped = true;
      world.storeServer.wipe();
      await world.database.ledger.writeFence("00000000-0000-4000-8000-000000000000");
    });
    await world.start(withLedger(parts, ledger));
    const user = await world.addUser();
    const event = world.ownEvent("user.deactivated", user.id, { epoch: 1 });
    await world.publish(event);
    expect(world.logServer.lag).to.equal(1);
    await world.platform.advance(5_000);
    const state = await world.store.readState();
    expect(await world.rowOf(event)).to.include({ incarnation: state.incarnation });
    expect((await world.database.ledger.readFence())?.incarnation).to.equal(state.incarnation);
    expect(await world.cutOffOf(user.id)).to.include({ epoch: 1 });
    expect(world.logServer.lag).to.equal(0);
  });

  it("starts again when two calls of one event meet different incarnations", async () => {
    const parts = world.connectParts();
    let isSwapped = false;
    const ledger = intercept(parts.database.ledger, "listMarked", () => {
      if (isSwapped) return;
      isSwapped = true;
      world.storeServer.wipe();
    });
    await world.start(withLedger(parts, ledger));
    const user = await world.addUser();
    const jti = await world.addToken(user.id);
    const event = world.ownEvent("user.deactivated", user.id, { epoch: 1 });
    await world.publish(event);
    await world.platform.advance(5_000);
    expect(await world.cutOffOf(user.id)).to.include({ epoch: 1 });
    expect(await world.isTokenRevoked(jti)).to.equal(true);
    const { incarnation } = await world.store.readState();
    expect(await world.rowOf(event)).to.include({ incarnation });
  });
});
