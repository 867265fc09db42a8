import { AppError, isRetriable } from "../../shared/errors.ts";
import type { Cancel } from "../../shared/ports/platform.ts";
import type { Announcement, Subscription } from "../../shared/ports/revocation-store.ts";
import type { Position } from "../../shared/revocation/position.ts";
import { FeedCursor, type FollowOutcome } from "./feed-cursor.ts";
import type { FeedDeps, ResyncReason } from "./feed-deps.ts";
import { Freshness } from "./freshness.ts";
import type { FreshnessView } from "./freshness-view.ts";
import { createInTime, type InTime } from "./in-time.ts";
import { Lease } from "./lease.ts";
import { loadSnapshot } from "./load-snapshot.ts";
import { Pacer, retryDelayMs } from "./pacer.ts";
import { longestAcceptanceMs, type StalenessPolicy } from "./staleness-policy.ts";

/*
 * Keeps the blacklist up with the store. One loop makes one round at a time, so at most one sync is under way; what
 * is heard between rounds only moves the cursor or brings the next round forward.
 *
 *  subscribing  At the start: what is announced during the load must not go unheard. Left when it listens.
 *  loading      At the start, under another incarnation, and when the feed no longer reaches back to the cursor. Under
 *               another incarnation after a moment of chance: the whole fleet has to load then.
 *               Merges into what is there. Announcements that fit the cursor are applied, others make a sync due.
 *               Left for `following` when the whole of one incarnation was read; begun anew otherwise.
 *  following    A sync every interval; at once after a gap, a reconnection or an answer that was cut short; soon after
 *               an announcement moved the cursor, to report it. An answer that came after its deadline is ignored.
 *               Left for `loading` by an answer with another incarnation or a hole. An answer without an incarnation
 *               changes nothing, and proves nothing; where the fence does not cover this instance, it asks again soon.
 *  closed       By `close`. Accepts nothing, lets the round end, signs off, stops listening.
 *
 * A failure leaves the state as it is; the round is tried again after a pause. Nothing ever leaves the blacklist here,
 * but for what has expired.
 */
export interface BlacklistFeed {
  freshness(): FreshnessView;
  /** Whether tokens may be accepted at this moment; to be asked before a token is looked at, on each request. */
  isAccepting(policy?: StalenessPolicy): boolean;
  readonly position: Position;
  /** Null before the first load. */
  readonly incarnation: string | null;
  /** Resolves once it accepts; never after `close`. */
  whenAccepting(): Promise<void>;
  /** Called each time that it stops accepting. */
  onRefusing(listener: () => void): Cancel;
  /** Stops accepting at once, then signs off. Idempotent; never rejects. */
  close(): Promise<void>;
}

const defaultReportDelayMs = 10;
const pruneEveryMs = 10_000;
/** While the store does not answer, announcements must not turn into a storm of calls. */
const pauseWhileFailingMs = 100;

/** So that a fleet that learns of another incarnation at once does not ask one server for all of it at once. */
const longestSpreadMs = 250;

const missingAfter = { reached: null, behind: "head", invalid: "incarnation", uncovered: "longest" } as const;

/** Returns at once; loads and follows in the background until `close`. */
export function startBlacklistFeed(deps: FeedDeps): Promise<BlacklistFeed> {
  const feed = new Feed(deps);
  feed.start();
  return Promise.resolve(feed);
}

class Feed implements BlacklistFeed {
  readonly #deps: FeedDeps;
  readonly #cursor: FeedCursor;
  readonly #lease: Lease;
  readonly #freshness: Freshness;
  readonly #pacer: Pacer;
  /** Apart from the other: nothing that is heard brings a load forward. */
  readonly #spread: Pacer;
  readonly #inTime: InTime;
  #subscription: Subscription | undefined;
  #mustLoad = true;
  #hasReported = false;
  #failures = 0;
  /** Since the head was last reached: a load that does not help must not be repeated without a pause. */
  #reloads = 0;
  /** Every instance learns of another incarnation within one interval, and has to load as this one has. */
  #isFleetLoading = false;
  /** Somebody is about to raise the fence, this instance itself perhaps: that takes milliseconds. */
  #uncovered = 0;
  #pruneAtMs = 0;
  #loop: Promise<void> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(deps: FeedDeps) {
    this.#deps = deps;
    this.#cursor = new FeedCursor(deps.blacklist, (position) => deps.onAdvanced?.(position));
    this.#lease = new Lease(deps.clock);
    this.#freshness = new Freshness({ ...deps, lease: this.#lease });
    this.#pacer = new Pacer(deps);
    this.#spread = new Pacer(deps);
    this.#inTime = createInTime(deps.timers, Math.min(deps.syncDeadlineMs, deps.maxStalenessMs / 2));
  }

  get position(): Position {
    return this.#cursor.position;
  }

  get incarnation(): string | null {
    return this.#cursor.incarnation;
  }

  freshness(): FreshnessView {
    return this.#freshness.view();
  }

  isAccepting(policy?: StalenessPolicy): boolean {
    return this.#freshness.isAccepting(policy);
  }

  whenAccepting(): Promise<void> {
    return this.#freshness.whenAccepting();
  }

  onRefusing(listener: () => void): Cancel {
    return this.#freshness.onRefusing(listener);
  }

  start(): void {
    this.#loop = this.#run();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #run(): Promise<void> {
    while (this.#closed === undefined) {
      const delayMs = await this.#round();
      await this.#pacer.wait(delayMs);
    }
  }

  /** How long to wait for the next one. */
  async #round(): Promise<number> {
    this.#prune();
    try {
      await this.#subscribe();
      if (this.#mustLoad) await this.#load();
      if (this.#closed !== undefined) return 0;
      const delayMs = await this.#sync();
      if (this.#failures > 0) this.#deps.log.info("replica.store-back", { failures: this.#failures });
      this.#failures = 0;
      return delayMs;
    } catch (err) {
      return this.#fail(err);
    }
  }

  async #subscribe(): Promise<void> {
    if (this.#subscription !== undefined) return;
    // Not cut short: a subscription that came late would listen beside its successor.
    this.#subscription = await this.#deps.store.subscribe({
      onAnnouncement: (announcement) => this.#hear(announcement),
      onGap: () => this.#resync("reconnected"),
    });
  }

  async #load(): Promise<void> {
    const { store, blacklist } = this.#deps;
    this.#freshness.noteMissing("snapshot");
    if (this.#isFleetLoading) await this.#spreadReload();
    if (this.#closed !== undefined) return;
    const place = await loadSnapshot({ store, blacklist, inTime: this.#inTime });
    this.#cursor.placeAt(place);
    this.#mustLoad = false;
    this.#freshness.noteMissing("head");
    this.#deps.log.info("replica.loaded", { ...place, entries: blacklist.entries });
    this.#renew();
  }

  /** The lease runs on meanwhile, and may run out. */
  #spreadReload(): Promise<void> {
    const { maxStalenessMs, randomness } = this.#deps;
    return this.#spread.wait(Math.min(longestSpreadMs, maxStalenessMs / 20) * randomness.fraction());
  }

  async #sync(): Promise<number> {
    const { clock, store, blacklist, policy, routePolicies = [], maxStalenessMs } = this.#deps;
    const { instanceId, tokenLifetimeSeconds } = this.#deps;
    const { incarnation, position } = this.#cursor;
    const sentAtMs = clock.monotonicMs();
    const sent = this.#lease.noteSending();
    this.#hasReported = true;
    const answer = await this.#inTime(
      store.sync({
        instanceId,
        incarnation,
        position,
        maxStalenessMs: longestAcceptanceMs([policy, ...routePolicies], maxStalenessMs),
        tokenLifetimeSeconds,
        entries: blacklist.entries,
      }),
    );
    if (answer.foreign !== undefined) this.#deps.onForeign?.(answer.foreign);
    const before = this.#cursor.position;
    const outcome = this.#cursor.follow(answer, position);
    if (this.#cursor.position !== before) this.#advanced("sync");
    // What a store says that has fallen behind proves nothing: it may give the same positions out again.
    if (answer.incarnation !== null) this.#deps.onLongest?.(answer.longest);
    if (answer.incarnation !== null && answer.head >= position) {
      this.#lease.noteAnswer({ sent, incarnation: answer.incarnation, head: answer.head });
      this.#renew();
    }
    return this.#nextAfter(outcome, sentAtMs, position);
  }

  #nextAfter(outcome: FollowOutcome, sentAtMs: number, reported: Position): number {
    const { clock, syncIntervalMs, reportDelayMs = defaultReportDelayMs } = this.#deps;
    const untilNextMs = Math.max(0, syncIntervalMs - (clock.monotonicMs() - sentAtMs));
    if (outcome === "lost" || outcome === "other-incarnation") {
      this.#mustLoad = true;
      this.#freshness.noteMissing("snapshot");
      this.#deps.log.info("replica.reload", { reason: outcome, position: reported });
      this.#deps.onResync?.(outcome);
      this.#reloads += 1;
      this.#isFleetLoading = outcome === "other-incarnation" && this.#reloads === 1;
      return this.#reloads === 1 ? 0 : retryDelayMs(this.#reloads, this.#deps.randomness);
    }
    if (outcome === "reached") this.#reloads = 0;
    this.#uncovered = outcome === "uncovered" ? this.#uncovered + 1 : 0;
    this.#freshness.noteMissing(missingAfter[outcome]);
    if (outcome === "behind") return 0;
    if (outcome === "uncovered") {
      return Math.min(untilNextMs, retryDelayMs(this.#uncovered, this.#deps.randomness));
    }
    return this.#cursor.position === reported ? untilNextMs : Math.min(reportDelayMs, untilNextMs);
  }

  #hear(announcement: Announcement): void {
    const heard = this.#cursor.hear(announcement);
    if (heard === "gap") this.#resync("gap");
    if (heard !== "applied") return;
    this.#advanced("announcement");
    this.#renew();
    this.#pacer.within(this.#deps.reportDelayMs ?? defaultReportDelayMs);
  }

  #advanced(by: "announcement" | "sync"): void {
    const { position, incarnation } = this.#cursor;
    this.#deps.log.debug("revocation.enforced", { position, incarnation, by });
  }

  #resync(reason: ResyncReason): void {
    this.#deps.onResync?.(reason);
    this.#pacer.within(this.#failures > 0 ? pauseWhileFailingMs : 0);
  }

  #renew(): void {
    const { incarnation, position } = this.#cursor;
    if (incarnation !== null && this.#lease.noteReached(incarnation, position)) this.#freshness.noteRenewed();
  }

  #fail(err: unknown): number {
    this.#failures += 1;
    const { log } = this.#deps;
    const failures = this.#failures;
    const isRepair = err instanceof AppError && err.code === "store-invalid";
    this.#freshness.noteMissing(isRepair ? "incarnation" : "store");
    if (failures > 1) log.debug("replica.round-failed", { err, failures });
    else if (isRepair) log.info("replica.store-invalid");
    else if (isRetriable(err)) log.warn("replica.store-away", { err });
    else log.error("replica.round-failed", { err });
    return retryDelayMs(this.#failures, this.#deps.randomness);
  }

  #prune(): void {
    const nowMs = this.#deps.clock.monotonicMs();
    if (nowMs < this.#pruneAtMs) return;
    this.#pruneAtMs = nowMs + pruneEveryMs;
    const dropped = this.#deps.blacklist.prune();
    if (dropped > 0) this.#deps.log.debug("replica.pruned", { dropped });
    this.#deps.onPruned?.();
  }

  async #close(): Promise<void> {
    // Before anything else: whoever reads the sign-off relies on nothing being accepted after it.
    this.#freshness.close();
    this.#pacer.stop();
    this.#spread.stop();
    await this.#loop;
    if (this.#hasReported) await this.#signOff();
    await this.#subscription?.close();
  }

  async #signOff(): Promise<void> {
    try {
      await this.#inTime(this.#deps.store.signOff(this.#deps.instanceId));
    } catch (err) {
      // It counts as silent then, until its lease must have run out.
      this.#deps.log.warn("replica.sign-off-failed", { err });
    }
  }
}
