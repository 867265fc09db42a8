import { isRetriable } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { Metrics } from "../../shared/metrics.ts";
import type { Platform } from "../../shared/ports/platform.ts";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import { additionKinds } from "../../shared/revocation/addition.ts";
import { type PackedAdditions, unpackAdditions } from "../../shared/revocation/packed-additions.ts";
import type { Position } from "../../shared/revocation/position.ts";
import { tokenBucketOf } from "../../shared/revocation/retention.ts";
import type { Blacklist } from "./blacklist.ts";
import type { BlacklistFeed } from "./blacklist-feed.ts";

/*
 * Reads the store's contents again in the background, one bounded step about every four seconds, and begins anew about
 * every minute, or when it is through where that takes longer; merges what this instance lacks although it has followed
 * the feed past it: a bug, a bit flip, a delta that was lost. A sync cannot find that: it asks only for what comes after
 * the position.
 *
 *  reading    A step takes chunks up to its bound. What the blacklist lacks of them is suspected, up to a head that is
 *             read afterwards: whatever the chunks held was added at or before it.
 *  suspected  Nothing more is read until the feed has reached that head under the same incarnation. What is lacking
 *             even then is a divergence. Under another incarnation the suspicion is dropped: the feed loads again then,
 *             and that merges everything.
 *  resting    Until the next round is due.
 *
 * What this instance has and the store lacks stays here (never forget on doubt); the worker puts it back from the
 * ledger. What has expired is not compared: the store keeps it longer.
 */
export interface ReplicaComparison {
  /** Lets the present step end. Idempotent. */
  close(): Promise<void>;
}

export interface ReplicaComparisonDeps extends Pick<Platform, "clock" | "timers" | "randomness"> {
  readonly store: Pick<RevocationStore, "load" | "readState">;
  readonly blacklist: Pick<Blacklist, "lacks" | "apply">;
  readonly feed: Pick<BlacklistFeed, "incarnation" | "position">;
  readonly log: Log;
  readonly metrics: Pick<Metrics, "divergences" | "comparedAt">;
}

interface Suspicion {
  readonly incarnation: string;
  readonly head: Position;
  readonly parts: readonly PackedAdditions[];
}

/** Every instance of a fleet reads at this pace from one server. */
const stepMs = 4_000;
const roundMs = 60_000;
/** Less than a chunk of a large bucket, 256 kB, so that one such chunk, a few milliseconds of this process, is a step. */
const bytesInStep = 128 * 1024;
const chunksInStep = 32;
const bucketsNamed = 5;

export function startReplicaComparison(deps: ReplicaComparisonDeps): ReplicaComparison {
  for (const kind of additionKinds) {
    deps.metrics.divergences.inc({ where: "replica", cause: `${kind}-missing` }, 0);
  }
  const comparison = new Comparison(deps);
  const stop = new AbortController();
  const ended = comparison.run(stop.signal);
  return {
    close() {
      stop.abort();
      return ended;
    },
  };
}

class Comparison {
  readonly #deps: ReplicaComparisonDeps;
  #chunks: AsyncIterator<PackedAdditions> | undefined;
  #suspicion: Suspicion | undefined;
  #nextRoundAtMs = 0;
  #isFailing = false;

  constructor(deps: ReplicaComparisonDeps) {
    this.#deps = deps;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { timers, randomness } = this.#deps;
    let delayMs = roundMs / 2;
    while (!signal.aborted) {
      await timers.sleep(delayMs * (0.8 + 0.4 * randomness.fraction()), signal);
      if (signal.aborted) break;
      delayMs = await this.#step();
    }
    await this.#abandon();
  }

  /** How long to wait for the next one. */
  async #step(): Promise<number> {
    try {
      this.#settle();
      if (this.#suspicion !== undefined || this.#deps.feed.incarnation === null) return stepMs;
      const restMs = this.#nextRoundAtMs - this.#deps.clock.monotonicMs();
      if (this.#chunks === undefined && restMs > 0) return restMs;
      await this.#read();
      this.#isFailing = false;
      return stepMs;
    } catch (err) {
      await this.#abandon();
      const isKnown = isRetriable(err);
      if (!isKnown) this.#deps.log.error("replica.comparison-failed", { err });
      else if (!this.#isFailing) this.#deps.log.warn("replica.comparison-failed", { err });
      this.#isFailing = true;
      return roundMs / 4;
    }
  }

  async #read(): Promise<void> {
    const { store, blacklist, clock, metrics } = this.#deps;
    if (this.#chunks === undefined) this.#nextRoundAtMs = clock.monotonicMs() + roundMs;
    this.#chunks ??= store.load()[Symbol.asyncIterator]();
    const parts: PackedAdditions[] = [];
    let isDone = false;
    for (let bytes = 0, count = 0; bytes < bytesInStep && count < chunksInStep && !isDone; count += 1) {
      const next = await this.#chunks.next();
      isDone = next.done === true;
      if (next.done === true) break;
      bytes += sizeOf(next.value);
      const lacking = blacklist.lacks(next.value);
      if (sizeOf(lacking) > 0) parts.push(lacking);
    }
    if (parts.length > 0) await this.#suspect(parts);
    if (!isDone) return;
    this.#chunks = undefined;
    metrics.comparedAt.set({ where: "replica" }, clock.wallMs() / 1_000);
  }

  async #suspect(parts: readonly PackedAdditions[]): Promise<void> {
    const { incarnation, head } = await this.#deps.store.readState();
    if (incarnation !== null) this.#suspicion = { incarnation, head, parts };
  }

  #settle(): void {
    const { feed, blacklist } = this.#deps;
    const suspicion = this.#suspicion;
    if (suspicion === undefined) return;
    if (feed.incarnation === suspicion.incarnation && feed.position < suspicion.head) return;
    this.#suspicion = undefined;
    if (feed.incarnation !== suspicion.incarnation) return;
    const lacking = suspicion.parts.map((part) => blacklist.lacks(part)).filter((part) => sizeOf(part) > 0);
    for (const part of lacking) blacklist.apply(part);
    if (lacking.length > 0) this.#tell(lacking);
  }

  #tell(repaired: readonly PackedAdditions[]): void {
    const { log, metrics } = this.#deps;
    const records = repaired.flatMap((part) => unpackAdditions(part));
    for (const { kind } of records) metrics.divergences.inc({ where: "replica", cause: `${kind}-missing` });
    const buckets = new Set(
      records.map((record) =>
        record.kind === "token" ? `tokens:${tokenBucketOf(record.exp)}` : record.kind,
      ),
    );
    log.warn("replica.divergence-repaired", {
      records: records.length,
      buckets: [...buckets].slice(0, bucketsNamed),
      incarnation: this.#deps.feed.incarnation,
    });
  }

  async #abandon(): Promise<void> {
    const chunks = this.#chunks;
    this.#chunks = undefined;
    this.#suspicion = undefined;
    await chunks?.return?.();
  }
}

function sizeOf({ tokens, unrecordedTokens, cutOffs }: PackedAdditions): number {
  return tokens.length + unrecordedTokens.length + cutOffs.length;
}
