import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { QuashEvent } from "../../shared/events/event.ts";
import { createInProcessStoreServer } from "../../shared/in-process/revocation-store.ts";
import { silentLog } from "../../shared/log.ts";
import type { Addition } from "../../shared/revocation/addition.ts";
import { unpackAdditions } from "../../shared/revocation/packed-additions.ts";
import { pendingRowOfOwnEvent } from "../../shared/revocation/pending-row.ts";
import { createRepair } from "../../workers/pruner/repair.ts";
import {
  createWorkerWorld,
  intercept,
  tokenLifetimeSeconds,
  type WorkerWorld,
} from "../support/worker-world.ts";

describe("pruner: repair", () => {
  let world: WorkerWorld;
  let subject: string;
  let jti: string;
  let event: QuashEvent;

  async function deactivate(): Promise<void> {
    const user = await world.addUser();
    subject = user.id;
    jti = await world.addToken(subject);
    event = world.ownEvent("user.deactivated", subject, { epoch: 1 });
    await world.publish(event);
  }

  /** An instance that never moves on: receipts stay open. */
  async function register(): Promise<void> {
    const { head } = await world.store.readState();
    const report = {
      incarnation: null,
      position: head,
      maxStalenessMs: 3_600_000,
      tokenLifetimeSeconds,
      entries: 0,
    };
    await world.store.sync({ instanceId: "silent", ...report });
  }

  async function isSound(): Promise<boolean> {
    const { incarnation } = await world.store.readState();
    const fence = await world.database.ledger.readFence();
    return incarnation !== null && fence?.incarnation === incarnation;
  }

  beforeEach(async () => {
    world = await createWorkerWorld();
  });
  afterEach(() => world.close());

  it("prepares an empty store at once, as the first of its namespace", async () => {
    await world.start();
    const state = await world.store.readState();
    expect(await isSound()).to.equal(true);
    expect(state.isFirstIncarnation).to.equal(true);
    expect(state.longest.tokenLifetimeSeconds).to.equal(900);
  });

  it("begins a new incarnation when the store's clock was set back to before the present one", async () => {
    await world.start();
    world.platform.stepWall(90_000);
    world.storeServer.wipe();
    await world.platform.advance(5_000);
    const before = await world.store.readState();
    world.platform.stepWall(-90_000);
    await world.platform.advance(5_000);

    const after = await world.store.readState();
    expect(after.incarnation).to.not.equal(before.incarnation);
    expect(await isSound()).to.equal(true);
    expect(after.incarnationSinceMs).to.be.at.most(after.storeTimeMs);
  });

  it("writes everything that lives to a store that came back empty, and notes open rows anew", async () => {
    await world.start();
    await register();
    await deactivate();
    const unrecorded = world.event("token.revoked", { details: { jti: "unknown" } });
    await world.publish(unrecorded);
    const before = await world.store.readState();
    world.storeServer.wipe();
    await world.platform.advance(5_000);

    const after = await world.store.readState();
    expect(after.incarnation).to.not.equal(before.incarnation);
    expect(after.isFirstIncarnation).to.equal(false);
    expect(await world.cutOffOf(subject)).to.include({ epoch: 1 });
    expect(await world.isTokenRevoked(jti)).to.equal(true);
    expect(await world.isTokenRevoked("unknown")).to.equal(true);
    expect(await world.rowOf(unrecorded)).to.include({ incarnation: after.incarnation });
    expect(await isSound()).to.equal(true);
  });

  it("writes the rows past the head that survived a fail-over", async () => {
    await world.start();
    await deactivate();
    world.storeServer.failOver({ loseLast: 2 });
    expect(await world.cutOffOf(subject)).to.equal(undefined);
    await world.platform.advance(3_000);
    expect(await world.cutOffOf(subject)).to.include({ epoch: 1 });
    expect(await world.isTokenRevoked(jti)).to.equal(true);
  });

  it("does not write again what the surviving head covers", async () => {
    const parts = world.connectParts();
    const written: unknown[] = [];
    const store = intercept(parts.store, "repair", (_lock, additions) => written.push(additions));
    await world.start({ store });
    await deactivate();
    world.storeServer.restart();
    await world.platform.advance(3_000);
    expect(await isSound()).to.equal(true);
    expect(written).to.deep.equal([]);
  });

  it("repairs a store whose incarnation is not the fence's", async () => {
    await world.start();
    await world.database.ledger.writeFence("11111111-1111-4111-8111-111111111111");
    await world.platform.advance(3_000);
    expect(await isSound()).to.equal(true);
  });

  it("treats a store whose time steps as wiped", async () => {
    const parts = world.connectParts();
    const written: unknown[] = [];
    const store = intercept(parts.store, "repair", (_lock, additions) => written.push(additions));
    await world.start({ store });
    await deactivate();
    const before = await world.store.readState();
    world.platform.stepWall(-3_600_000);
    await world.platform.advance(3_000);
    expect((await world.store.readState()).incarnation).to.not.equal(before.incarnation);
    expect(written).to.not.deep.equal([]);
  });

  for (const stepMs of [600_000, -600_000]) {
    it(`repairs once after a step of ${stepMs / 60_000} minutes, however many workers see it`, async () => {
      for (let count = 0; count < 3; count += 1) await world.start();
      await world.platform.advance(5_000);
      const incarnations = new Set<string | null>([(await world.store.readState()).incarnation]);
      world.platform.stepWall(stepMs);
      for (let turn = 0; turn < 300; turn += 1) {
        await world.platform.advance(50);
        incarnations.add((await world.store.readState()).incarnation);
      }
      expect([...incarnations].filter((one) => one !== null)).to.have.length(2);
      expect(await isSound()).to.equal(true);
    });
  }

  it("writes the tokens to a store whose time stepped past their expiry", async () => {
    await world.start();
    await deactivate();
    const ahead = { ...world.platform.clock, wallMs: () => world.platform.clock.wallMs() + 7_200_000 };
    const storeServer = createInProcessStoreServer({ ...world.platform, clock: ahead });
    const outcome = await createRepair({
      ledger: world.database.ledger,
      store: storeServer.connect(),
      platform: world.platform,
      names: world.names,
      log: silentLog,
    })({ asWiped: true });
    const additions: Addition[] = [];
    for await (const chunk of storeServer.connect().load()) additions.push(...unpackAdditions(chunk));
    expect(outcome).to.equal("repaired");
    expect(additions.map(({ kind }) => kind)).to.deep.equal(["token", "cut-off"]);
  });

  it("writes what has expired by a clock that may be ahead as far as is allowed", async () => {
    await world.start();
    await deactivate();
    await world.platform.advance(1_190_000);
    world.storeServer.wipe();
    await world.platform.advance(2_000);
    expect(await world.cutOffOf(subject)).to.include({ epoch: 1 });
    expect(await world.isTokenRevoked(jti)).to.equal(true);
  });

  it("starts again when its lock was lost half-way", async () => {
    const parts = world.connectParts();
    let isLost = false;
    const store = intercept(parts.store, "repair", () => {
      if (isLost) return;
      isLost = true;
      world.storeServer.wipe();
    });
    await deactivateBeforehand();
    await world.start({ store });
    await world.platform.advance(10_000);
    expect(isLost).to.equal(true);
    expect(await isSound()).to.equal(true);
    expect(await world.cutOffOf(subject)).to.include({ epoch: 1 });
  });

  it("starts again when the server changes half-way, and a part of the repair is gone with the old one", async () => {
    const parts = world.connectParts();
    let isLost = false;
    const store = intercept(parts.store, "completeRepair", () => {
      if (isLost) return;
      isLost = true;
      world.storeServer.failOver({ loseLast: 1 });
    });
    await deactivateBeforehand();
    await world.start({ store });
    await world.platform.advance(10_000);
    expect(isLost).to.equal(true);
    expect(await isSound()).to.equal(true);
    expect(await world.cutOffOf(subject)).to.include({ epoch: 1 });
    expect(await world.isTokenRevoked(jti)).to.equal(true);
  });

  /** A ledger that takes its time for each page, and a store that counts what is begun and what is ended. */
  function slowParts(pageMs: number, counts: { begun: number; ended: number }) {
    const parts = world.connectParts();
    const sleep = () => world.platform.timers.sleep(pageMs);
    const begin = intercept(parts.store, "beginRepair", () => (counts.begun += 1));
    const store = intercept(begin, "completeRepair", () => (counts.ended += 1));
    return {
      store,
      database: { ...parts.database, ledger: intercept(parts.database.ledger, "listLive", sleep) },
    };
  }

  it("lets the one who began a long repair end it, however many look", async () => {
    await deactivateBeforehand();
    const counts = { begun: 0, ended: 0 };
    await Promise.all([world.start(slowParts(30_000, counts)), world.start(slowParts(30_000, counts))]);
    await world.platform.advance(32_000);
    expect(await isSound()).to.equal(true);
    expect(await world.cutOffOf(subject)).to.include({ epoch: 1 });
    const { incarnation } = await world.store.readState();
    await world.platform.advance(60_000);
    expect((await world.store.readState()).incarnation).to.equal(incarnation);
    expect(counts.ended).to.equal(1);
    expect(counts.begun).to.be.above(10);
  });

  it("takes over from a repairer that died, once it has shown no life for five seconds", async () => {
    await deactivateBeforehand();
    await world.store.beginRepair("of a process that dies");
    await world.start();
    await world.platform.advance(4_000);
    expect((await world.store.readState()).incarnation).to.equal(null);
    await world.platform.advance(2_500);
    expect(await isSound()).to.equal(true);
    expect(await world.cutOffOf(subject)).to.include({ epoch: 1 });
  });

  it("keeps what it repairs for a whole longest lifetime, also in a store that forgot how long that is", async () => {
    await world.start();
    const user = await world.addUser();
    const pending = world.ownEvent("user.deactivated", user.id, { epoch: 1 });
    await world.database.ledger.insertPending([pendingRowOfOwnEvent(pending)]);
    world.storeServer.wipe();
    await world.platform.advance(2_000);
    const until = (await world.cutOffOf(user.id))?.until;
    expect(until).to.be.at.least(world.platform.clock.wallMs() / 1_000 + 900 - 5);
  });

  async function deactivateBeforehand(): Promise<void> {
    await world.start();
    await deactivate();
    await world.close();
    world.forgetWorkers();
    world.storeServer.wipe();
  }

  it("leaves no valid store when MongoDB goes away half-way, and ends the repair when it is back", async () => {
    await deactivateBeforehand();
    const parts = world.connectParts();
    const ledger = intercept(parts.database.ledger, "listLive", () =>
      world.databaseServer.setAvailable(false),
    );
    let isBroken = true;
    const breaking = new Proxy(parts.database.ledger, {
      get: (target, key, receiver) =>
        Reflect.get<object, PropertyKey>(isBroken ? ledger : target, key, receiver) as unknown,
    });
    await world.start({ database: { ...parts.database, ledger: breaking } });
    await world.platform.advance(3_000);
    expect((await world.store.readState()).incarnation).to.equal(null);
    isBroken = false;
    world.databaseServer.setAvailable(true);
    await world.platform.advance(3_000);
    expect(await isSound()).to.equal(true);
    expect(await world.cutOffOf(subject)).to.include({ epoch: 1 });
  });

  it("ends up sound with several pruners at once", async () => {
    await deactivateBeforehand();
    await Promise.all([world.start(), world.start(), world.start()]);
    await world.platform.advance(20_000);
    expect(await isSound()).to.equal(true);
    const settled = await world.store.readState();
    await world.platform.advance(20_000);
    expect((await world.store.readState()).incarnation).to.equal(settled.incarnation);
    expect(await world.cutOffOf(subject)).to.include({ epoch: 1 });
  });

  it("settles the receipt once every instance enforces it", async () => {
    await world.start();
    await register();
    await deactivate();
    await world.platform.advance(3_000);
    expect(await world.rowOf(event)).to.include({ status: "applied" });
    const { incarnation, head } = await world.store.readState();
    const report = {
      incarnation,
      position: head,
      maxStalenessMs: 3_600_000,
      tokenLifetimeSeconds,
      entries: 2,
    };
    await world.store.sync({ instanceId: "silent", ...report });
    await world.platform.advance(3_000);
    expect(await world.rowOf(event)).to.include({ status: "enforced" });
  });
});
