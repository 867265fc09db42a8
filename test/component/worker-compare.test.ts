import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { createBlacklist } from "../../api/blacklist/blacklist.ts";
import { AppError } from "../../shared/errors.ts";
import type { QuashEvent } from "../../shared/events/event.ts";
import { type Log, silentLog } from "../../shared/log.ts";
import { createMetrics } from "../../shared/metrics.ts";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import type { Addition } from "../../shared/revocation/addition.ts";
import { differingBuckets, digestsOf } from "../../shared/revocation/digest.ts";
import { unpackAdditions } from "../../shared/revocation/packed-additions.ts";
import { pendingRowOfOwnEvent } from "../../shared/revocation/pending-row.ts";
import { tokenBucketOf } from "../../shared/revocation/retention.ts";
import { type CompareDeps, createCompare } from "../../workers/pruner/compare.ts";
import { digestsOfLedger } from "../../workers/pruner/ledger-contents.ts";
import {
  createWorkerWorld,
  intercept,
  tokenLifetimeSeconds,
  type WorkerWorld,
} from "../support/worker-world.ts";

describe("pruner: compare", () => {
  let world: WorkerWorld;
  let metrics: ReturnType<typeof createMetrics>;
  let warned: { event: string; fields: Record<string, unknown> | undefined }[];

  beforeEach(async () => {
    world = await createWorkerWorld();
    metrics = createMetrics({ withProcessMetrics: false });
    warned = [];
    const worker = await world.start();
    for (const type of ["deactivated", "session", "unrecorded"] as const) await revoke(type);
    await worker.close();
  });
  afterEach(() => world.close());

  const everything = () => true;
  let events: QuashEvent[] = [];

  async function revoke(what: "deactivated" | "session" | "unrecorded"): Promise<void> {
    const { id } = await world.addUser();
    await world.addToken(id);
    const jti = await world.addToken(id, { expiresInMs: 600_000 });
    const made = {
      deactivated: () => world.ownEvent("user.deactivated", id, { epoch: 1 }),
      session: () => world.event("token.revoked", { details: { jti } }),
      unrecorded: () => world.event("token.revoked", { details: { jti: world.platform.ids.uuid() } }),
    }[what]();
    events = [...(what === "deactivated" ? [] : events), made];
    await world.publish(made);
  }

  function compare(store: Partial<RevocationStore> = {}, options: Partial<CompareDeps> = {}) {
    const { names, platform, database } = world;
    const log: Log = { ...silentLog, warn: (event, fields) => void warned.push({ event, fields }) };
    const deps = {
      ledger: database.ledger,
      store: { ...world.store, ...store },
      platform,
      names,
      log,
      metrics,
    };
    return createCompare({ ...deps, ...options });
  }

  async function run(round: ReturnType<typeof createCompare>, signal = new AbortController().signal) {
    const running = round(signal);
    await world.platform.advance(10_000);
    await running;
  }

  const digestsOfStore = () => digestsOf(world.store.load());
  const differing = async () =>
    differingBuckets(
      await digestsOfLedger(
        { ledger: world.database.ledger, names: world.names },
        world.platform.clock.wallMs(),
      ),
      await digestsOfStore(),
    );
  const counted = async () =>
    Object.fromEntries(
      (await metrics.divergences.get()).values.map(({ labels, value }) => [String(labels.cause), value]),
    );

  it("finds that ledger, store and an instance that loaded agree", async () => {
    const blacklist = createBlacklist({ ...world.platform, ...world.names });
    for await (const chunk of world.store.load()) blacklist.apply(chunk);
    expect((await digestsOfStore()).size).to.equal(4);
    expect(differingBuckets(await digestsOf(blacklist.records()), await digestsOfStore())).to.deep.equal([]);
    expect(await differing()).to.deep.equal([]);

    await run(compare());
    expect(warned).to.deep.equal([]);
    expect((await metrics.comparedAt.get()).values).to.have.length(1);
  });

  it("finds that ledger and store agree at any time until all has expired", async () => {
    const { clock } = world.platform;
    const names = world.names;
    for (let minute = 0; minute < 40; minute += 1) {
      const atMs = clock.wallMs();
      const ofLedger = await digestsOfLedger({ ledger: world.database.ledger, names }, atMs);
      expect(differingBuckets(ofLedger, await digestsOf(world.store.load(), atMs))).to.deep.equal([]);
      await world.platform.advance(60_000);
    }
    expect((await digestsOf(world.store.load(), clock.wallMs())).size).to.equal(0);
  });

  it("puts back what the store has lost while its row lives, counts it by cause and names the events", async () => {
    expect(world.storeServer.lose(everything)).to.equal(5);
    expect(await differing()).to.have.length(4);

    await run(compare());
    expect(await differing()).to.deep.equal([]);
    expect(await counted()).to.deep.equal({
      "token-missing": 3,
      "cut-off-missing": 1,
      "unrecorded-token-missing": 1,
    });
    const ids = (await Promise.all(events.map((event) => world.rowOf(event)))).map((row) => row?.eventId);
    expect(warned.map(({ event }) => event)).to.deep.equal(["store.divergence-repaired"]);
    expect(warned[0]?.fields).to.include({ records: 5, events: 3 });
    expect(warned[0]?.fields?.["event_ids"]).to.have.members(ids);
  });

  const withClock = (aheadMs: number) => {
    const { clock } = world.platform;
    return { ...world.platform, clock: { ...clock, wallMs: () => clock.wallMs() + aheadMs } };
  };

  it("puts back what has expired by a clock that is ahead as far as is allowed", async () => {
    await world.platform.advance(400_000);
    expect(world.storeServer.lose(({ kind }) => kind === "token")).to.equal(3);
    await run(compare({}, { platform: withClock(299_000) }));
    expect(await counted()).to.include({ "token-missing": 3 });
  });

  it("misses nothing that the store has dropped in its time, by a clock that is behind", async () => {
    await world.platform.advance(22 * 60_000);
    await run(compare({}, { platform: withClock(-240_000) }));
    expect(warned).to.deep.equal([]);
  });

  it("puts back a cut-off of which only a weaker one is left", async () => {
    const [deactivated] = events;
    const subject = world.names.fingerprint(world.names.ownIssuer, deactivated?.subject ?? "");
    world.storeServer.lose(({ kind }) => kind === "cut-off");
    await world.store.add([{ kind: "cut-off", subject, epoch: 0, notBefore: 1, until: 1 }]);

    await run(compare());
    expect((await world.cutOffOf(deactivated?.subject ?? ""))?.epoch).to.equal(1);
  });

  it("tells the instances through the feed at once", async () => {
    const { head, incarnation } = await world.store.readState();
    world.storeServer.lose(everything);
    await run(compare());
    const report = { instanceId: "one", maxStalenessMs: 5_000, tokenLifetimeSeconds, entries: 0 };
    const { entries } = await world.store.sync({ ...report, incarnation, position: head });
    expect(entries.flatMap(({ additions }) => unpackAdditions(additions))).to.have.length(5);
  });

  it("compares a long ledger in batches", async () => {
    world.storeServer.lose(everything);
    let loads = 0;
    const load = () => {
      loads += 1;
      return world.store.load();
    };
    await run(compare({ load }, { batchSize: 1 }));
    expect(loads).to.be.greaterThan(1);
    expect(await differing()).to.deep.equal([]);
  });

  it("leaves a pending row to who works on it, and one noted under another incarnation to the look", async () => {
    const { id } = await world.addUser();
    const pending = world.ownEvent("user.deactivated", id, { epoch: 1 });
    await world.database.ledger.insertPending([pendingRowOfOwnEvent(pending)]);
    const noted = world.ownEvent("user.deactivated", (await world.addUser()).id, { epoch: 1 });
    await world.database.ledger.insertPending([pendingRowOfOwnEvent(noted)]);
    const { head } = await world.store.readState();
    const appliedAtMs = world.platform.clock.wallMs();
    await world.database.ledger.noteApplied(noted.id, {
      subject: noted.subject ?? null,
      epoch: 1,
      notBefore: null,
      unrecorded: false,
      untilMs: appliedAtMs + 900_000,
      appliedAtMs,
      incarnation: "another",
      position: head,
      tokensRevoked: 0,
    });

    await run(compare());
    expect(warned).to.deep.equal([]);
    expect(await world.cutOffOf(id)).to.equal(undefined);
  });

  it("adds nothing when the incarnation changes on the way: the repair has the word", async () => {
    world.storeServer.lose(everything);
    const added: Addition[] = [];
    await run(
      compare({
        add(additions) {
          added.push(...additions);
          return world.store.add(additions);
        },
        async *load() {
          yield* world.store.load();
          await world.database.ledger.writeFence("another");
        },
      }),
    );
    expect(added).to.deep.equal([]);
    expect((await metrics.comparedAt.get()).values).to.have.length(0);
  });

  const rowByRow = { rows: 1, tokens: 1 };

  it("reads no further when the incarnation changes while it reads the ledger", async () => {
    world.storeServer.lose(everything);
    let reads = 0;
    const ledger = intercept(world.database.ledger, "listMarkedBetween", () => {
      reads += 1;
      if (reads === 2) world.storeServer.restart();
    });
    await run(compare({}, { ledger, sizes: rowByRow }));
    expect(reads).to.equal(2);
    expect(warned).to.deep.equal([]);
    expect((await metrics.comparedAt.get()).values).to.have.length(0);
  });

  it("pauses for as long as a step of the ledger took", async () => {
    const slow = intercept(world.database.ledger, "listMarkedBetween", () =>
      world.platform.timers.sleep(3_000),
    );
    const sleeps: number[] = [];
    const timers = {
      ...world.platform.timers,
      sleep(delayMs: number, signal?: AbortSignal) {
        sleeps.push(delayMs);
        return world.platform.timers.sleep(delayMs, signal);
      },
    };
    const comparing = compare({}, { ledger: slow, sizes: rowByRow, platform: { ...world.platform, timers } });
    const round = comparing(new AbortController().signal);
    await world.platform.advance(60_000);
    await round;
    expect(sleeps.filter((delayMs) => delayMs >= 3_000)).to.have.lengthOf(3);
  });

  it("does nothing to a store that is not valid", async () => {
    world.storeServer.restart();
    world.storeServer.lose(everything);
    await run(compare());
    expect(warned).to.deep.equal([]);
  });

  it("takes for missing nothing that has expired by any clock", async () => {
    world.storeServer.lose(everything);
    await world.platform.advance(1_300_000);
    await run(compare());
    expect(warned).to.deep.equal([]);
    expect((await metrics.comparedAt.get()).values).to.have.length(1);
  });

  it("puts back nothing that expires while the store is read", async () => {
    world.storeServer.lose(everything);
    const before = await world.store.readState();
    await run(
      compare({
        async *load() {
          yield* world.store.load();
          world.platform.stepWall(1_300_000);
        },
      }),
    );
    expect((await world.store.readState()).head).to.equal(before.head);
  });

  it("does no harm when two do it at once", async () => {
    world.storeServer.lose(everything);
    const both = Promise.all([run(compare()), compare()(new AbortController().signal)]);
    await world.platform.advance(10_000);
    await both;
    expect(await differing()).to.deep.equal([]);
  });

  it("ends its round when the worker is being closed", async () => {
    world.storeServer.lose(everything);
    await run(compare(), AbortSignal.abort());
    expect(warned).to.deep.equal([]);
  });

  it("is done by every worker, about every minute", async () => {
    await world.start();
    world.storeServer.lose(everything);
    await world.platform.advance(90_000);
    expect(await differing()).to.deep.equal([]);
  });

  describe("of a damaged store", () => {
    const damagedBucket = async () => {
      const tokens = (await world.contents()).filter((addition) => addition.kind === "token");
      return `tokens:${tokenBucketOf(tokens[0]?.exp ?? 0)}`;
    };
    const loads = () =>
      world.contents().then(
        (contents) => contents.length,
        (error: unknown) => (error instanceof AppError ? error.code : "unknown"),
      );

    it("ends with the look repairing it from the ledger, which says and counts what was damaged", async () => {
      await world.start();
      const before = await world.store.readState();
      world.storeServer.damage(await damagedBucket());
      expect(await loads()).to.equal("store-invalid");
      await world.platform.advance(2_000);

      expect(await loads()).to.equal(5);
      expect(await differing()).to.deep.equal([]);
      expect((await world.store.readState()).incarnation).to.not.equal(before.incarnation);
      const { values } = await world.metrics.divergences.get();
      expect(values.find(({ labels }) => labels.cause === "bucket-damaged")?.value).to.equal(1);
    });

    it("is begun anew by another worker where the first one died half-way", async () => {
      const damaged = await damagedBucket();
      world.storeServer.damage(damaged);
      await world.store.beginRepair("of a dead one");
      await world.start();
      await world.platform.advance(10_000);
      expect(await differing()).to.deep.equal([]);
    });

    it("takes one repair in half a minute from who goes on damaging it, and the leases go on meanwhile", async () => {
      await world.start();
      const damaged = await damagedBucket();
      const incarnations = new Set<string | null>();
      for (let second = 0; second < 60; second += 1) {
        world.storeServer.damage(damaged);
        await world.platform.advance(1_000);
        incarnations.add((await world.store.readState()).incarnation);
      }
      expect(incarnations.size).to.be.within(2, 4);
    });
  });
});
