import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { AppError } from "../../../shared/errors.ts";
import { silentLog } from "../../../shared/log.ts";
import { createMetrics, type Metrics } from "../../../shared/metrics.ts";
import type { LedgerRow } from "../../../shared/ports/ledger.ts";
import type { ForeignEntry } from "../../../shared/ports/revocation-store.ts";
import { createLook } from "../../../workers/pruner/look.ts";
import type { RepairOutcome } from "../../../workers/pruner/repair.ts";
import { repairEnd } from "../../support/repair-end.ts";
import { createWorkerWorld, type WorkerWorld } from "../../support/worker-world.ts";

describe("look", () => {
  let world: WorkerWorld;
  let rows: LedgerRow[];
  let rewritten: string[];
  let broken: ReadonlySet<string>;
  let validityReads: number;
  let pages: number[];
  let damaged: string[];
  let discarded: string[];
  let foreign: Map<ForeignEntry, number>;
  let metrics: Metrics;
  let settles: (row: LedgerRow) => boolean;
  let outcomes: RepairOutcome[];
  let beforeFence: () => Promise<void>;
  let asWiped: boolean[];

  beforeEach(async () => {
    world = await createWorkerWorld();
    await world.store.beginRepair("lock");
    await world.store.completeRepair("lock", repairEnd("present", { isFirst: true }));
    await world.database.ledger.writeFence("present");
    rewritten = [];
    broken = new Set();
    validityReads = 0;
    pages = [];
    [rows, damaged, discarded] = [[], [], []];
    foreign = new Map();
    metrics = createMetrics({ withProcessMetrics: false });
    settles = () => false;
    [outcomes, asWiped] = [[], []];
    beforeFence = () => Promise.resolve();
  });

  function create() {
    return createLook({
      unsettledAtOnce: 500,
      ledger: {
        async readFence() {
          await beforeFence();
          return world.database.ledger.readFence();
        },
        listUnsettled(limit, after) {
          pages.push(limit);
          const from = rows.findIndex(({ eventId }) => eventId === after?.eventId) + 1;
          return Promise.resolve(rows.slice(from, from + limit));
        },
      },
      store: {
        readState() {
          validityReads += 1;
          return world.store.readState();
        },
        readDamaged: () => Promise.resolve({ buckets: damaged, foreign }),
      },
      noteLongest: () => Promise.resolve(),
      repair(options) {
        discarded.push((options.damaged ?? []).join(" "));
        asWiped.push(options.asWiped);
        damaged = [];
        return Promise.resolve(outcomes.shift() ?? "repaired");
      },
      rewriteRow(row) {
        if (broken.has(row.eventId)) return Promise.reject(new AppError("validation-failed", "broken"));
        rewritten.push(row.eventId);
        rows = rows.map((one) => (one.eventId === row.eventId ? { ...one, incarnation: "present" } : one));
        return Promise.resolve("rewritten");
      },
      settleReceipts(of) {
        const settled = of.filter(settles);
        rows = rows.filter((row) => !settled.includes(row));
        return Promise.resolve(
          of.map((row) => ({
            row: settled.includes(row) ? { ...row, status: "enforced" as const } : row,
            instances: [],
          })),
        );
      },
      platform: world.platform,
      log: silentLog,
      metrics,
    });
  }

  async function makeRows(count: number, incarnation: string): Promise<LedgerRow[]> {
    const { pendingRowOfOwnEvent } = await import("../../../shared/revocation/pending-row.ts");
    const event = world.ownEvent("user.deactivated", "somebody", { epoch: 1 });
    await world.database.ledger.insertPending([pendingRowOfOwnEvent(event)]);
    const row = await world.rowOf(event);
    if (row === null) throw new Error("no row");
    return Array.from({ length: count }, (_, at) => ({
      ...row,
      status: "applied" as const,
      eventId: `${incarnation} ${at}`,
      incarnation,
    }));
  }
  const look = (run: ReturnType<typeof create>) => run(new AbortController().signal);

  it("looks at the store again after some rewrites, until all are done", async () => {
    rows = await makeRows(120, "before");
    await look(create());
    expect(rewritten).to.have.length(120);
    expect(validityReads).to.equal(3);
  });

  it("comes to the rest where some rows cannot be rewritten", async () => {
    rows = await makeRows(120, "before");
    broken = new Set(rows.slice(0, 60).map(({ eventId }) => eventId));
    const run = create();
    for (let turn = 0; turn < 4; turn += 1) await look(run);
    expect(new Set(rewritten).size).to.equal(60);
  });

  it("comes to what is noted under another incarnation behind many that stay unsettled", async () => {
    rows = [...(await makeRows(1_200, "present")), ...(await makeRows(1, "before"))];
    const run = create();
    for (let turn = 0; turn < 3; turn += 1) await look(run);
    expect(rewritten).to.deep.equal(["before 0"]);
  });

  it("reads of those that stay unsettled so many at a look, however many there are", async () => {
    rows = await makeRows(1_200, "present");
    const run = create();
    for (let turn = 0; turn < 6; turn += 1) await look(run);
    expect(pages).to.deep.equal(Array.from({ length: 6 }, () => 500));
  });

  it("settles all of them in one look once they can be, wherever the look before had come to", async () => {
    rows = await makeRows(1_200, "present");
    const run = create();
    await look(run);
    settles = () => true;
    await look(run);
    expect(rows).to.have.length(0);
  });

  it("repairs as wiped after a step of the store's clock, until it has done so itself", async () => {
    const run = create();
    await look(run);
    world.platform.stepWall(-600_000);
    outcomes = ["busy", "lost", "repaired"];
    for (let turn = 0; turn < 5; turn += 1) await look(run);
    expect(asWiped.slice(0, 3)).to.deep.equal([true, true, true]);
    expect(asWiped.slice(3)).to.not.include(true);
  });

  it("leaves a step to another worker who wrote everything after it, and to no other", async () => {
    const run = create();
    await look(run);
    world.platform.stepWall(600_000);
    outcomes = ["busy"];
    await look(run);
    const begun = await world.store.beginRepair("of another");
    await world.store.completeRepair("of another", repairEnd("part"));
    await world.database.ledger.writeFence("part");
    outcomes = ["busy"];
    await look(run);
    await world.store.beginRepair("of another");
    await world.store.completeRepair("of another", repairEnd("all", { wholeSinceMs: begun?.atMs ?? null }));
    await world.database.ledger.writeFence("all");
    await look(run);
    expect(asWiped).to.deep.equal([true, true]);
  });

  it("takes no pause between its reads for a step", async () => {
    const run = create();
    await look(run);
    beforeFence = () => world.platform.advance(600_000);
    await look(run);
    beforeFence = () => Promise.resolve();
    await look(run);
    expect(asWiped).to.deep.equal([]);
  });

  it("counts what the store met of somebody else's", async () => {
    const run = create();
    foreign.set("index-entry-foreign", 2);
    await look(run);
    const { values } = await metrics.divergences.get();
    expect(values.find(({ labels }) => labels.cause === "index-entry-foreign")?.value).to.equal(2);
    expect(values.find(({ labels }) => labels.cause === "instance-unreadable")?.value).to.equal(0);
  });

  describe("at damaged buckets", () => {
    async function lookAt(run: ReturnType<typeof create>, ...names: string[]): Promise<void> {
      damaged = names;
      await look(run);
    }

    it("repairs at once what it finds after another repair, and all that is damaged with it", async () => {
      const run = create();
      await lookAt(run, "tokens:1");
      await lookAt(run, "tokens:2");
      await lookAt(run, "tokens:1", "tokens:3");
      expect(discarded).to.deep.equal(["tokens:1", "tokens:2", "tokens:1 tokens:3"]);
    });

    it("repairs one bucket once in 30 s, however often it is damaged", async () => {
      const run = create();
      for (let second = 0; second < 90; second += 1) {
        await lookAt(run, "tokens:1");
        await world.platform.advance(1_000);
      }
      expect(discarded).to.have.length(3);
    });

    it("makes six repairs in a minute, however many buckets are damaged one after the other", async () => {
      const run = create();
      for (let second = 0; second < 120; second += 1) {
        await lookAt(run, `tokens:${second}`);
        await world.platform.advance(1_000);
      }
      expect(discarded).to.have.length(12);
    });
  });
});
