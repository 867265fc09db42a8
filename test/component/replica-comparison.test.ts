import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { startReplicaComparison } from "../../api/blacklist/replica-comparison.ts";
import { AppError } from "../../shared/errors.ts";
import { createMetrics } from "../../shared/metrics.ts";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import type { Addition } from "../../shared/revocation/addition.ts";
import { differingBuckets, digestsOf } from "../../shared/revocation/digest.ts";
import { packAdditions } from "../../shared/revocation/packed-additions.ts";
import { createFeedWorld, type FeedWorld } from "./feed-world.ts";

const minuteMs = 60_000;

describe("replica comparison", () => {
  let world: FeedWorld;
  let stop: () => Promise<void>;
  let metrics: ReturnType<typeof createMetrics>;

  beforeEach(async () => {
    world = await createFeedWorld();
    metrics = createMetrics({ withProcessMetrics: false });
    stop = () => Promise.resolve();
  });
  afterEach(async () => {
    await stop();
    await world.close();
  });

  /** What the instance is given of the store lacks these: as if a delta had been lost on the way into its memory. */
  function loses(lost: readonly Addition[]) {
    const merge = world.blacklist.apply.bind(world.blacklist);
    let isLosing = true;
    const lostBytes = new Set(lost.map((addition) => JSON.stringify(packAdditions([addition]))));
    world.blacklist.apply = (additions) => {
      if (!isLosing || !lostBytes.has(JSON.stringify(additions))) merge(additions);
    };
    return () => {
      isLosing = false;
    };
  }

  async function start(store: Pick<RevocationStore, "load" | "readState"> = world.worker) {
    const feed = await world.start();
    const log = recording();
    const { blacklist, platform } = world;
    const comparison = startReplicaComparison({ ...platform, store, blacklist, feed, log: log.log, metrics });
    stop = async () => {
      const closing = comparison.close();
      await platform.advance(1_000);
      await closing;
    };
    return { feed, log };
  }

  const agree = async () =>
    differingBuckets(await digestsOf(world.blacklist.records()), await digestsOf(world.worker.load()));
  const counted = async (cause: string) => {
    const { values } = await metrics.divergences.get();
    return values.find(({ labels }) => labels.where === "replica" && labels.cause === cause)?.value ?? 0;
  };

  it("merges what the instance lacks although it has followed the feed past it, counts it and says so", async () => {
    await world.repair("first");
    const { log } = await start();
    const unrecorded = unrecordedOf(world.tokenRevocation("c"));
    const lost = [[world.cutOff("a")], [world.tokenRevocation("b")], [unrecorded]];
    const found = loses(lost.flat());
    for (const additions of lost) await world.worker.add(additions);
    await world.platform.settle();
    expect(await agree()).to.have.length(3);
    found();

    await world.platform.advance(2 * minuteMs);
    expect(await agree()).to.deep.equal([]);
    expect(world.isRefused("a")).to.equal(true);
    expect(await counted("cut-off-missing")).to.equal(1);
    expect(await counted("token-missing")).to.equal(1);
    expect(await counted("unrecorded-token-missing")).to.equal(1);
    expect(log.warnings()).to.deep.equal(["replica.divergence-repaired"]);
  });

  it("finds nothing where the feed is only behind", async () => {
    await world.repair("first");
    const { log } = await start();
    world.wire.onAnnouncement = () => undefined;
    world.wire.onSync = () => Promise.reject(new AppError("dependency-unavailable", "cut off"));
    await world.deactivate("a");
    await world.platform.advance(2 * minuteMs);
    expect(world.isRefused("a")).to.equal(false);

    world.wire.onSync = (call) => call();
    await world.platform.advance(2 * minuteMs);
    expect(world.isRefused("a")).to.equal(true);
    expect(log.warnings()).to.deep.equal([]);
    expect(await comparisons()).to.equal(1);
  });

  it("does not take for missing what has expired here and not yet in the store", async () => {
    await world.repair("first");
    const { log } = await start();
    // Pruning follows the clock from here on.
    await world.platform.advance(20 * minuteMs);
    const exp = Math.ceil(world.platform.clock.wallMs() / 1_000) + 60;
    await world.worker.add([{ kind: "token", token: world.fingerprint("somebody", "a"), exp }]);
    await world.platform.advance(10 * minuteMs);
    expect((await digestsOf(world.worker.load())).size).to.equal(1);
    expect(world.blacklist.entries).to.equal(0);
    expect(log.warnings()).to.deep.equal([]);
  });

  it("suspects nothing under an incarnation that is not loaded yet: the load merges all", async () => {
    await world.repair("first");
    const { log } = await start();
    const found = loses([world.cutOff("a")]);
    await world.worker.add([world.cutOff("a")]);
    await world.platform.settle();
    found();
    world.wire.onSync = () => Promise.reject(new AppError("dependency-unavailable", "cut off"));
    await world.repair("second");
    await world.platform.advance(2 * minuteMs);
    expect(world.isRefused("a")).to.equal(false);

    world.wire.onSync = (call) => call();
    await world.platform.advance(2 * minuteMs);
    expect(world.isRefused("a")).to.equal(true);
    expect(log.warnings()).to.deep.equal([]);
  });

  it("says once that the store is away, and compares again when it is back", async () => {
    await world.repair("first");
    const { log } = await start();
    world.server.setAvailable(false);
    await world.platform.advance(5 * minuteMs);
    expect(log.warnings()).to.deep.equal(["replica.comparison-failed"]);
    const before = await lastComparison();
    world.server.setAvailable(true);
    await world.platform.advance(2 * minuteMs);
    expect(await lastComparison()).to.be.greaterThan(before);
  });

  it("reads many buckets over several steps, with time for requests between them", async () => {
    await world.repair("first");
    const minutes = Array.from({ length: 100 }, (_, at) => ({
      ...world.tokenRevocation(`user ${at}`),
      exp: Math.ceil(world.platform.clock.wallMs() / 1_000) + at * 60,
    }));
    await world.worker.add(minutes);
    let chunks = 0;
    const most: number[] = [];
    await start({
      readState: () => world.worker.readState(),
      async *load() {
        for await (const chunk of world.worker.load()) {
          chunks += 1;
          yield chunk;
        }
      },
    });
    for (let second = 0; second < 120; second += 1) {
      chunks = 0;
      await world.platform.advance(1_000);
      most.push(chunks);
    }
    expect(most.filter((count) => count > 0).length).to.be.at.least(4);
    expect(Math.max(...most)).to.be.at.most(64);
  });

  it("reads one chunk of a large bucket in about four seconds, however much there is", async () => {
    await world.repair("first");
    const known = packAdditions([world.tokenRevocation("a")]);
    world.blacklist.apply(known);
    const chunk = { ...known, tokens: Buffer.concat(Array<Uint8Array>(13_107).fill(known.tokens)) };
    let chunks = 0;
    await start({
      readState: () => world.worker.readState(),
      async *load() {
        for (; chunks < 1_000; chunks += 1) yield await Promise.resolve(chunk);
      },
    });
    await world.platform.advance(2 * minuteMs);
    expect(chunks).to.be.within(15, 30);
  });

  async function lastComparison(): Promise<number> {
    return (await metrics.comparedAt.get()).values[0]?.value ?? 0;
  }
  async function comparisons(): Promise<number> {
    return (await metrics.comparedAt.get()).values.length;
  }
});

function unrecordedOf(addition: Addition): Addition {
  if (addition.kind !== "token") throw new Error("not a token");
  return { kind: "unrecorded-token", token: addition.token, until: addition.exp };
}

function recording() {
  const warned: string[] = [];
  const nothing = () => undefined;
  const warn = (event: string) => void warned.push(event);
  const log = { debug: nothing, info: nothing, warn, error: warn, child: () => log };
  return { log, warnings: () => warned };
}
