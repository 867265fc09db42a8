import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { QuashEvent } from "../../shared/events/event.ts";
import { silentLog } from "../../shared/log.ts";
import { pendingRowOfOwnEvent } from "../../shared/revocation/pending-row.ts";
import type { StepSizes } from "../../workers/pruner/ledger-contents.ts";
import { createRepair } from "../../workers/pruner/repair.ts";
import { createApplyEvent } from "../../workers/revoker/apply-event.ts";
import { receiveEvent } from "../../workers/revoker/received-event.ts";
import { createWorkerWorld, intercept, namespace, type WorkerWorld } from "../support/worker-world.ts";

describe("pruner: what may happen while a store is rebuilt", () => {
  let world: WorkerWorld;
  let subjects: string[];
  let jtis: string[];

  beforeEach(async () => {
    world = await createWorkerWorld();
    subjects = [];
    jtis = [];
  });
  afterEach(() => world.close());

  async function deactivateOne(tokens: number): Promise<QuashEvent> {
    const { id } = await world.addUser();
    for (let at = 0; at < tokens; at += 1) jtis.push(await world.addToken(id));
    subjects.push(id);
    const event = world.ownEvent("user.deactivated", id, { epoch: 1 });
    await world.publish(event);
    return event;
  }

  /** So many of each, and nobody at work any more. */
  async function deactivated(users: number, tokensEach: number): Promise<void> {
    await world.start();
    for (let at = 0; at < users; at += 1) await deactivateOne(tokensEach);
    await world.close();
    world.forgetWorkers();
  }

  /** Everything is there, and nothing twice. */
  async function expectWhole(): Promise<void> {
    const { incarnation } = await world.store.readState();
    expect(incarnation).to.be.a("string");
    expect((await world.database.ledger.readFence())?.incarnation).to.equal(incarnation);
    const found = (await world.contents()).map((one) => (one.kind === "cut-off" ? one.subject : one.token));
    const named = [...subjects, ...jtis].map((name) => world.names.fingerprint(world.names.ownIssuer, name));
    expect(found.toSorted()).to.deep.equal(named.toSorted());
  }

  const repairOf = (store = world.store, sizes?: StepSizes) =>
    createRepair({
      ledger: world.database.ledger,
      store,
      platform: world.platform,
      names: world.names,
      log: silentLog,
      ...(sizes === undefined ? {} : { sizes }),
    });

  it("reads the ledger in steps that are smaller than what it holds, and than what one row marked", async () => {
    await deactivated(7, 3);
    await deactivated(1, 11);
    world.storeServer.wipe();
    const sizes: number[] = [];
    const store = intercept(world.store, "repair", (_lock, additions) => {
      sizes.push(Array.isArray(additions) ? additions.length : 0);
    });
    expect(await repairOf(store, { rows: 3, tokens: 4 })({ asWiped: false })).to.equal("repaired");
    expect(Math.max(...sizes)).to.be.at.most(4);
    await expectWhole();
  });

  it("writes of many rows only what was noted past the head that survived", async () => {
    await deactivated(20, 2);
    world.storeServer.failOver({ loseLast: 2 });
    const written: unknown[] = [];
    const store = intercept(world.store, "repair", (_lock, additions) => {
      if (Array.isArray(additions)) written.push(...(additions as unknown[]));
    });
    await repairOf(store)({ asWiped: false });
    expect(written).to.have.length(3);
    await expectWhole();
  });

  it("ends what another one began and died in the middle of, with what he had written", async () => {
    await deactivated(6, 2);
    world.storeServer.wipe();
    let chunks = 0;
    const dying = intercept(world.store, "repair", () => {
      chunks += 1;
      if (chunks === 4) throw new Error("killed");
    });
    const killed = await repairOf(dying, { rows: 2, tokens: 2 })({ asWiped: false }).catch(() => "killed");
    expect(killed).to.equal("killed");
    expect((await world.store.readState()).incarnation).to.equal(null);
    expect(await world.contents()).to.not.have.length(0);

    await world.start();
    await world.platform.advance(7_000);
    await expectWhole();
  });

  it("starts anew where the store is wiped a second time, whichever step it had come to", async () => {
    await deactivated(4, 2);
    for (const at of [1, 2, 3, 4]) {
      world.storeServer.wipe();
      let chunks = 0;
      const store = intercept(world.store, "repair", () => {
        chunks += 1;
        if (chunks === at) world.storeServer.wipe();
      });
      const repair = repairOf(store, { rows: 2, tokens: 2 });
      expect(await repair({ asWiped: false })).to.equal("lost");
      expect((await world.store.readState()).incarnation).to.equal(null);
      expect(await repair({ asWiped: false })).to.equal("repaired");
      await expectWhole();
    }
  });

  it("has one of two who start at once do it", async () => {
    await deactivated(6, 2);
    world.storeServer.wipe();
    const sizes = { rows: 2, tokens: 2 };
    const outcomes = await Promise.all([
      repairOf(world.store, sizes)({ asWiped: false }),
      repairOf(world.storeServer.connect(), sizes)({ asWiped: false }),
    ]);
    expect(outcomes).to.have.members(["repaired", "busy"]);
    await expectWhole();
  });

  it("brings what a cut-off primary was given before the ledger was read, and what comes later is written anew", async () => {
    await deactivated(3, 2);
    const cutOff = world.storeServer.split({ loseLast: 1 });
    const applyOld = applyVia(cutOff.connect());
    await applyOld(await pendingOne());
    await repairOf()({ asWiped: false });
    await expectWhole();

    const late = await pendingOne();
    expect(await applyOld(late).catch(codeOf)).to.equal("store-invalid");
    await applyVia(world.store)(late);
    await expectWhole();
  });

  it("loses no event that arrives while it is at work", async () => {
    await deactivated(6, 2);
    world.storeServer.wipe();
    const parts = world.connectParts();
    let isFirst = true;
    const store = intercept(parts.store, "repair", async () => {
      if (!isFirst) return;
      isFirst = false;
      await deactivateOne(2);
    });
    await world.start({ store });
    await world.platform.advance(10_000);
    expect(isFirst).to.equal(false);
    await expectWhole();
  });

  async function pendingOne(): Promise<QuashEvent> {
    const { id } = await world.addUser();
    jtis.push(await world.addToken(id));
    subjects.push(id);
    const event = world.ownEvent("user.deactivated", id, { epoch: 1 });
    await world.database.ledger.insertPending([pendingRowOfOwnEvent(event)]);
    return event;
  }

  function applyVia(store: WorkerWorld["store"]) {
    const { ledger } = world.database;
    const { applyEvent } = createApplyEvent({ ...world.applyDeps, ledger, store });
    return (event: QuashEvent) =>
      applyEvent(receiveEvent(event, { namespace }), { heartbeat: () => Promise.resolve() });
  }
});

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : error;
}
