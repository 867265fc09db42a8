import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { QuashEvent } from "../../shared/events/event.ts";
import type { Ledger } from "../../shared/ports/ledger.ts";
import { createWorkerWorld, intercept, type WorkerWorld } from "../support/worker-world.ts";

/** Those of one event, and those of many. */
const interceptMarks = (ledger: Ledger, before: () => Promise<void>) =>
  intercept(intercept(ledger, "markTokens", before), "markMany", before);

describe("revoker: a partition that changes hands in the middle of a batch", () => {
  let world: WorkerWorld;
  let go: () => void;
  beforeEach(async () => {
    world = await createWorkerWorld();
    await world.start();
    await world.close();
    world.forgetWorkers();
  });
  afterEach(() => world.close());

  /** A worker that stands still before it marks tokens, until `go` is called. */
  async function startSlow(): Promise<void> {
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    const parts = world.connectParts();
    const ledger = interceptMarks(parts.database.ledger, () => gate);
    await world.start({ ...parts, database: { ...parts.database, ledger } });
  }

  async function deactivateMany(count: number): Promise<{ ids: string[]; events: QuashEvent[] }> {
    const [ids, events]: [string[], QuashEvent[]] = [[], []];
    for (let n = 0; n < count; n += 1) {
      const { id } = await world.addUser();
      await world.addToken(id);
      ids.push(id);
      events.push(
        world.event("user.deactivated", { subject: id, timeMs: world.platform.clock.wallMs() + 1 }),
      );
    }
    await world.platform.advance(1_000);
    return { ids, events };
  }

  async function expectAllApplied(ids: readonly string[], events: readonly QuashEvent[]): Promise<void> {
    expect(world.logServer.lag).to.equal(0);
    expect(world.deadLetterReasons()).to.deep.equal([]);
    for (const id of ids) {
      expect(await world.cutOffOf(id)).to.include({ epoch: 1 });
      expect(await world.database.users.findById(id)).to.include({ status: "deactivated", epoch: 1 });
    }
    for (const event of events) {
      const row = await world.rowOf(event);
      expect(row).to.include({ epoch: 1, tokensRevoked: 1 });
      expect(row?.appliedAtMs).to.be.a("number");
    }
  }

  it("loses nothing, and does nothing twice, when a worker joins", async () => {
    await startSlow();
    const { ids, events } = await deactivateMany(60);
    await world.publish(...events);
    await world.start();
    await world.platform.advance(1_000);
    expect(world.logServer.lag).to.be.above(0);
    go();
    await world.platform.advance(5_000);
    await expectAllApplied(ids, events);
  });

  it("loses nothing when the worker that joined dies with its batch", async () => {
    await world.start();
    const eventLog = world.logServer.connect();
    const parts = world.connectParts();
    const ledger = interceptMarks(parts.database.ledger, () => new Promise<never>(() => undefined));
    await world.start({ database: { ...parts.database, ledger }, eventLog });
    const { ids, events } = await deactivateMany(60);
    await world.publish(...events);
    await world.platform.advance(1_000);
    expect(world.logServer.lag).to.be.above(0);
    eventLog.kill();
    await world.platform.advance(5_000);
    // The dead worker's promises never end: nobody waits for them.
    await expectAllApplied(ids, events);
    world.forgetWorkers();
  });

  it("turns nothing back when a worker that was taken for dead goes on with its old batch", async () => {
    await startSlow();
    const { id } = await world.addUser();
    const before = await world.addToken(id);
    await world.platform.advance(1_000);
    const old = world.event("user.deactivated", { subject: id });
    await world.publish(old);
    await world.platform.advance(1_000);
    // Two more, so that its partitions are taken from the one that stands still.
    await Promise.all([world.start(), world.start()]);
    await world.platform.advance(1_000);
    const back = await world.changeUser(id, "user.reactivated");
    const since = await world.addToken(id, { epoch: 1 });
    await world.publish(back);
    await world.platform.advance(1_000);
    go();
    await world.platform.advance(5_000);
    expect(world.logServer.lag).to.equal(0);
    expect(await world.database.users.findById(id)).to.include({ status: "active", epoch: 1 });
    expect(await world.isTokenRevoked(before)).to.equal(true);
    expect(await world.isTokenRevoked(since)).to.equal(false);
    expect(await world.cutOffOf(id)).to.include({ epoch: 1 });
  });
});
