import { isRetriable } from "../../shared/errors.ts";
import { groupByKey } from "../../shared/group-by-key.ts";
import type { Log } from "../../shared/log.ts";
import type { Metrics } from "../../shared/metrics.ts";
import type { PublishEvent } from "../../shared/outbox/publish-event.ts";
import type { Ledger, LedgerRow } from "../../shared/ports/ledger.ts";
import type { Platform } from "../../shared/ports/platform.ts";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import type { OutboxEntry, UserStore } from "../../shared/ports/user-store.ts";
import { runInOrder } from "../in-order.ts";
import type { ApplyEvent } from "../revoker/apply-event.ts";
import { type ReceivedEvent, receiveEvent } from "../revoker/received-event.ts";
import { ApplyHere } from "./apply-here.ts";
import { createFindOverdue, waitsSinceMs } from "./overdue.ts";

export interface RelayDeps {
  readonly users: Pick<UserStore, "listOutbox" | "countOutbox">;
  readonly ledger: Pick<Ledger, "insertPending" | "listPending">;
  readonly store: Pick<RevocationStore, "notifyApplied">;
  readonly publishEvent: PublishEvent;
  readonly applyEvent: ApplyEvent;
  readonly giveUp: (received: ReceivedEvent, error: unknown) => Promise<void>;
  /** The events that this worker is applying now. */
  readonly underWay: ReadonlySet<string>;
  readonly platform: Platform;
  readonly namespace: string;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** What the API's own attempt to publish is given before the relay takes over. */
const graceMs = 500;
/** After that long without Kafka's answer the event is applied here; the answer is still waited for. */
const publishPatienceMs = 1_000;
const usersAtOnce = 16;
/** Pages grow while Kafka is away, since what was applied stays in front, and while more is pending than one holds. */
const pageSizes = { least: 200, most: 20_000 } as const;

/**
 * Moves events from the outbox to the log, one user's in their order. What the log does not take is applied here,
 * with the revoker's own code, and stays in the outbox until the log takes it; so is what the log took and nobody
 * handles.
 *
 * While the log is away a round first offers what is new to be applied and then tries one event, the probe: a fleet of
 * attempts that each wait for a dead broker would hold up what can be done without it. `close` lets what is being
 * applied end.
 */
export function createRelay(deps: RelayDeps) {
  const { users, ledger, publishEvent, underWay, platform, namespace, log, metrics } = deps;
  const applyHere = new ApplyHere(deps);
  const findOverdue = createFindOverdue({ ...deps, clock: platform.clock });
  const firstSeenAtMs = new Map<string, number>();
  const inFlight = new Set<string>();
  let pending: readonly LedgerRow[] = [];
  /** When it was asked for them: what ends meanwhile is told as pending, and was not left alone. */
  let underWayBefore: ReadonlySet<string> = new Set();
  let isLogAway = false;
  let outboxPage: number = pageSizes.least;
  let pendingPage: number = pageSizes.least;

  return { relay, close: () => applyHere.close() };

  async function relay(): Promise<void> {
    const page = await users.listOutbox(outboxPage).catch(forgetMeasures);
    forgetAllBut(page);
    const due = page.filter(isDue);
    const left = isLogAway ? due : await publishAll(due);
    offer(left);
    if (isLogAway) await probeLog(left);
    await measure(page).catch(forgetMeasures);
    offer(left);
    const isStuck = page.length === outboxPage && page.every(({ event }) => applyHere.isDone(event.id));
    outboxPage = isStuck ? Math.min(pageSizes.most, outboxPage * 2) : Math.max(pageSizes.least, page.length);
  }

  /** What the log did not take, and what it took and nobody handles. */
  function offer(unpublished: readonly OutboxEntry[]): void {
    const waiting = unpublished.map(({ event }) => receiveEvent(event, { namespace }));
    const known = new Set(waiting.map(({ eventId }) => eventId));
    const isInHand = (eventId: string) => underWayBefore.has(eventId) || underWay.has(eventId);
    const left = findOverdue(pending).filter(({ eventId }) => !known.has(eventId) && !isInHand(eventId));
    applyHere.offer([...waiting, ...left]);
  }

  async function probeLog(left: readonly OutboxEntry[]): Promise<void> {
    const probe = left.find(({ event }) => !inFlight.has(event.id));
    if (probe !== undefined && (await publish(probe))) setLogAway(false);
  }

  /** By our own clock too, since the API's may be ahead. */
  function isDue({ event }: OutboxEntry): boolean {
    const { clock } = platform;
    const seenAtMs = firstSeenAtMs.get(event.id) ?? clock.monotonicMs();
    firstSeenAtMs.set(event.id, seenAtMs);
    return clock.wallMs() - event.timeMs >= graceMs || clock.monotonicMs() - seenAtMs >= graceMs;
  }

  /** Returns what the log did not take. */
  async function publishAll(entries: readonly OutboxEntry[]): Promise<OutboxEntry[]> {
    const left: OutboxEntry[] = [];
    const byUser = [...groupByKey(entries, ({ userId }) => userId).values()];
    const order = { limit: usersAtOnce, keyOf: ([first]: OutboxEntry[]) => first?.userId ?? "" };
    await runInOrder(byUser, order, async (ofUser) => {
      for (const [at, entry] of ofUser.entries()) {
        if (!isLogAway && (await publish(entry))) continue;
        left.push(...ofUser.slice(at));
        return;
      }
    });
    return left;
  }

  /** False when it failed, or its answer did not come soon. */
  async function publish(entry: OutboxEntry): Promise<boolean> {
    const { id } = entry.event;
    if (inFlight.has(id)) return false;
    inFlight.add(id);
    const answered = publishEvent(entry)
      .then(
        () => true,
        (err: unknown) => {
          if (!isRetriable(err)) log.error("relay.publish-failed", { event_id: id, err });
          else if (!isLogAway) log.warn("relay.publish-failed", { event_id: id, err });
          return false;
        },
      )
      .finally(() => inFlight.delete(id));
    const impatience = new AbortController();
    const isPublished = await Promise.race([
      answered,
      platform.timers.sleep(publishPatienceMs, impatience.signal).then(() => false),
    ]);
    impatience.abort();
    if (!isPublished) setLogAway(true);
    return isPublished;
  }

  async function measure(page: readonly OutboxEntry[]): Promise<void> {
    const waiting = page.filter(({ event }) => !applyHere.isDone(event.id)).map(({ event }) => event.timeMs);
    const underWayNow = new Set(underWay);
    pending = await ledger.listPending(pendingPage);
    underWayBefore = underWayNow;
    const isFull = pending.length === pendingPage;
    pendingPage = isFull
      ? Math.min(pageSizes.most, pendingPage * 2)
      : Math.max(pageSizes.least, pending.length);
    metrics.oldestPendingSeconds.set(ageSeconds([...pending.map(waitsSinceMs), ...waiting]));
    metrics.outboxOldestSeconds.set(ageSeconds(page.map(({ event }) => event.timeMs)));
    metrics.outboxEvents.set(page.length < pageSizes.least ? page.length : await users.countOutbox());
  }

  function ageSeconds(timesMs: readonly number[]): number {
    const oldestMs = timesMs.reduce((oldest, each) => Math.min(oldest, each), Infinity);
    return oldestMs === Infinity ? 0 : Math.max(0, platform.clock.wallMs() - oldestMs) / 1_000;
  }

  function forgetMeasures(error: unknown): never {
    for (const gauge of [metrics.oldestPendingSeconds, metrics.outboxOldestSeconds, metrics.outboxEvents]) {
      gauge.remove();
    }
    throw error;
  }

  function setLogAway(isAway: boolean): void {
    if (isAway === isLogAway) return;
    isLogAway = isAway;
    if (isAway) log.warn("relay.log-away");
    else log.info("relay.log-back");
  }

  function forgetAllBut(page: readonly OutboxEntry[]): void {
    const present = new Set(page.map(({ event }) => event.id));
    for (const id of firstSeenAtMs.keys()) if (!present.has(id)) firstSeenAtMs.delete(id);
  }
}

export type Relay = ReturnType<typeof createRelay>;
