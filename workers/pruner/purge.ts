import type { Log } from "../../shared/log.ts";
import type { Metrics } from "../../shared/metrics.ts";
import type { ClientStore } from "../../shared/ports/client-store.ts";
import type { IdempotencyStore } from "../../shared/ports/idempotency-store.ts";
import type { Ledger, LedgerRow, RowsOver } from "../../shared/ports/ledger.ts";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import type { SessionStore } from "../../shared/ports/session-store.ts";
import type { UserStore } from "../../shared/ports/user-store.ts";
import type { InstanceObserver } from "../../shared/receipts/instance-observer.ts";
import { clockErrorAllowedMs } from "../../shared/revocation/addition.ts";
import { boundMs } from "../../shared/revocation/bound.ts";
import type { PruningClock } from "../../shared/revocation/pruning-clock.ts";
import { goneInstanceMs } from "./gone-instance.ts";

export interface PurgeDeps {
  readonly users: Pick<UserStore, "findById" | "keepDeactivation" | "purgeTombstones">;
  readonly sessions: Pick<SessionStore, "purgeTokens" | "purgeSessions">;
  readonly idempotency: Pick<IdempotencyStore, "purge">;
  readonly clients: Pick<ClientStore, "purgeAssertions">;
  readonly ledger: Pick<Ledger, "readFence" | "listPending" | "listExpired" | "removeRows">;
  readonly store: Pick<RevocationStore, "removeInstances" | "trimFeed" | "purgeExpired">;
  readonly observer: InstanceObserver;
  readonly pruningClock: PruningClock;
  readonly log: Log;
  readonly metrics: Metrics;
}

type Kind =
  | "tokens"
  | "sessions"
  | "assertions"
  | "tombstones"
  | "idempotency_keys"
  | "revocations"
  | "instances"
  | "feed_entries"
  | "store_keys";

const step = 1_000;
/** A round ends after so many steps of one kind, and goes on in the next: it never holds up a server for long. */
const stepsInARound = 20;
/** On top of the clock error: nothing goes in the moment when it may. */
const marginMs = 60_000;
const feedMarginMs = 5 * 60_000;

/**
 * Removes what nothing needs any more, in bounded steps; tells what went. Everything here goes well after the last
 * token that it could match, by the pruning clock. Every part is idempotent, so two at once do no harm.
 */
export function createPurge(deps: PurgeDeps) {
  const { users, sessions, clients, idempotency, ledger, store, observer, pruningClock, log, metrics } = deps;

  return async function purge(signal: AbortSignal): Promise<void> {
    const longest = (await ledger.readFence())?.longest;
    if (longest === undefined) return;
    const expiredBeforeMs = pruningClock.nowMs() - clockErrorAllowedMs - marginMs;
    const deletedBeforeMs = expiredBeforeMs - longest.tokenLifetimeSeconds * 1_000;
    const longestBoundMs = boundMs(longest.maxStalenessMs);
    const feedMs = longestBoundMs + feedMarginMs;
    // Once every instance has been silent for its bound, and is registered no more, all has settled that ever will.
    const unsettledUntilBeforeMs = expiredBeforeMs - longestBoundMs - goneInstanceMs - marginMs;
    const rowsOver = { untilBeforeMs: expiredBeforeMs, unsettledUntilBeforeMs };
    const parts: readonly [Kind, (limit: number) => Promise<number>][] = [
      ["revocations", (limit) => purgeRows(rowsOver, limit)],
      ["tokens", (limit) => sessions.purgeTokens(expiredBeforeMs, limit)],
      ["sessions", (limit) => sessions.purgeSessions(expiredBeforeMs, limit)],
      ["idempotency_keys", (limit) => idempotency.purge(expiredBeforeMs, limit)],
      ["assertions", (limit) => clients.purgeAssertions(expiredBeforeMs, limit)],
      ["tombstones", (limit) => purgeTombstones(deletedBeforeMs, limit)],
      ["feed_entries", (limit) => store.trimFeed(feedMs, limit)],
    ];
    const removed = new Map<Kind, number>();
    for (const [kind, purgeStep] of parts) removed.set(kind, await inSteps(purgeStep, signal));
    removed.set("instances", await purgeInstances());
    removed.set("store_keys", await store.purgeExpired());
    tell(removed);
  };

  async function inSteps(
    purgeStep: (limit: number) => Promise<number>,
    signal: AbortSignal,
  ): Promise<number> {
    let removed = 0;
    for (let steps = 0; steps < stepsInARound && !signal.aborted; steps += 1) {
      const went = await purgeStep(step);
      removed += went;
      if (went < step) break;
    }
    return removed;
  }

  /** A deletion that is still to be applied must find whom it is about. */
  async function purgeTombstones(madeBeforeMs: number, limit: number): Promise<number> {
    const pending = await ledger.listPending(step);
    const spared = pending.flatMap(({ subject }) => subject ?? []);
    // There may be more of them than these.
    return pending.length < step ? users.purgeTombstones(madeBeforeMs, limit, spared) : 0;
  }

  async function purgeRows(over: RowsOver, limit: number): Promise<number> {
    const rows = await ledger.listExpired(over, limit);
    for (const row of rows) if (row.type === "user.deactivated") await keepDeactivation(row);
    if (rows.length === 0) return 0;
    return ledger.removeRows(
      rows.map(({ eventId }) => eventId),
      over,
    );
  }

  /** Deactivating again answers with the last receipt, also after its row is gone. */
  async function keepDeactivation(row: LedgerRow): Promise<void> {
    if (row.subject === null) return;
    const user = await users.findById(row.subject);
    if (user?.lastDeactivation?.eventId !== row.eventId) return;
    const { eventId, source, reason, requestedAtMs, appliedAtMs, enforcedAtMs, tokensRevoked } = row;
    const kept = { eventId, source, reason, requestedAtMs, appliedAtMs, enforcedAtMs, tokensRevoked };
    await users.keepDeactivation(row.subject, kept);
  }

  /** Silent by our own monotonic clock, and long gone by the store's. */
  async function purgeInstances(): Promise<number> {
    const { view, instances } = await observer.observe();
    const registered = new Set(view.instances.map(({ id }) => id));
    const gone = instances.filter((instance) => {
      const silentMs = view.storeTimeMs - instance.lastSyncAtMs;
      const isLongGone = silentMs > boundMs(instance.maxStalenessMs) + goneInstanceMs;
      return registered.has(instance.id) && instance.isFenced && isLongGone;
    });
    return gone.length === 0 ? 0 : store.removeInstances(gone);
  }

  function tell(removed: ReadonlyMap<Kind, number>): void {
    const some = [...removed].filter(([, count]) => count > 0);
    for (const [kind, count] of some) metrics.pruned.inc({ kind }, count);
    if (some.length > 0) log.info("pruner.purged", Object.fromEntries(some));
  }
}

export type Purge = ReturnType<typeof createPurge>;
