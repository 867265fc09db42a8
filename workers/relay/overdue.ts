import { ownSource } from "../../shared/events/event.ts";
import type { LedgerRow } from "../../shared/ports/ledger.ts";
import type { Clock } from "../../shared/ports/platform.ts";
import { type ReceivedEvent, receiveRow } from "../revoker/received-event.ts";

/** Well above what an event takes through the log; an upstream one waits out its worker's session, too. */
const overdueMs = { own: 1_500, upstream: 20_000 } as const;

export interface OverdueDeps {
  readonly clock: Clock;
  readonly namespace: string;
}

/**
 * Finds events that have a row and that nobody handles: the row says all that an event does, so it is applied from the
 * row. That it comes through the log later, too, does no harm.
 *
 * Own ones: the partitions of a worker that died are nobody's until its session has run out, which takes longer than
 * an accepted deactivation may. Upstream ones: a worker that was suspended may note an event that retention has taken
 * from the log since, and that the others took for lost and have made good what they could.
 */
export function createFindOverdue({ clock, namespace }: OverdueDeps) {
  const source = ownSource(namespace);
  let firstSeenAtMs: ReadonlyMap<string, number> = new Map();

  return function findOverdue(pending: readonly LedgerRow[]): ReceivedEvent[] {
    const nowMs = clock.monotonicMs();
    firstSeenAtMs = new Map(pending.map(({ eventId }) => [eventId, firstSeenAtMs.get(eventId) ?? nowMs]));
    return pending.filter((row) => isOverdue(row, nowMs)).map((row) => receiveRow(row, namespace));
  };

  /** Own ones by the wall clock, too, from when they were asked for; an upstream one may have lain in the log for long. */
  function isOverdue(row: LedgerRow, nowMs: number): boolean {
    const seenForMs = nowMs - (firstSeenAtMs.get(row.eventId) ?? nowMs);
    // Its record was committed when it was held.
    const isConfirmed = row.hold?.state === "confirmed";
    if (row.source !== source) return isConfirmed || seenForMs >= overdueMs.upstream;
    return seenForMs >= overdueMs.own || clock.wallMs() - waitsSinceMs(row) >= overdueMs.own;
  }
}

/** Since it was asked for, or, if it was held, confirmed. */
export function waitsSinceMs({ hold, requestedAtMs }: LedgerRow): number {
  return hold?.state === "confirmed" ? hold.atMs : requestedAtMs;
}
