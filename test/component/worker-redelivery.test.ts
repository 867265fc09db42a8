import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { Parts } from "../../shared/ports/parts.ts";
import { createWorkerWorld, intercept, type WorkerWorld } from "../support/worker-world.ts";

type Break = (parts: Parts, stop: () => Promise<never>) => Partial<Parts>;

const withLedger = (parts: Parts, ledger: Parts["database"]["ledger"]) => ({
  database: { ...parts.database, ledger },
});

/** After which step the worker dies: its next call never comes back. */
const deaths: Readonly<Record<string, Break>> = {
  "the cut-off was written": (parts, stop) =>
    withLedger(parts, intercept(parts.database.ledger, "find", stop)),
  "the pending row was written": (parts, stop) => ({
    database: { ...parts.database, users: intercept(parts.database.users, "findById", stop) },
  }),
  "the user was changed": (parts, stop) =>
    withLedger(parts, intercept(parts.database.ledger, "markTokens", stop)),
  "the tokens were marked": (parts, stop) =>
    withLedger(parts, intercept(parts.database.ledger, "listMarked", stop)),
  "the store was written": (parts, stop) =>
    withLedger(parts, intercept(parts.database.ledger, "noteApplied", stop)),
};

describe("revoker: redelivery", () => {
  let world: WorkerWorld;
  beforeEach(async () => {
    world = await createWorkerWorld();
  });
  afterEach(() => world.close());

  for (const [when, breakParts] of Object.entries(deaths)) {
    it(`repairs what a worker left that died after ${when}`, async () => {
      await world.start();
      await world.close();
      const user = await world.addUser();
      const jti = await world.addToken(user.id);
      await world.platform.advance(1_000);

      const parts = world.connectParts();
      const never = () => new Promise<never>(() => undefined);
      let isDead = false;
      const stop = () => {
        isDead = true;
        return never();
      };
      const eventLog = world.logServer.connect();
      await world.start({ ...parts, ...breakParts(parts, stop), eventLog });
      const upstream = world.event("user.deactivated", { subject: user.id });
      await world.publish(upstream, world.ownEvent("user.deactivated", user.id, { epoch: 1 }));
      await world.platform.advance(200);
      expect(isDead).to.equal(true);
      expect(world.logServer.lag).to.be.greaterThan(0);

      eventLog.kill();
      world.forgetWorkers();
      await world.start();
      await world.platform.advance(1_000);
      expect(world.logServer.lag).to.equal(0);
      expect((await world.rowOf(upstream))?.appliedAtMs).to.be.a("number");
      expect(await world.database.users.findById(user.id)).to.include({ status: "deactivated", epoch: 1 });
      expect(await world.cutOffOf(user.id)).to.include({ epoch: 1 });
      expect(await world.isTokenRevoked(jti)).to.equal(true);
      expect(world.deadLetterReasons()).to.deep.equal([]);
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
