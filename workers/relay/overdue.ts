import { ownSource } from "../../shared/events/event.ts";
import type { LedgerRow } from "../../shared/ports/ledger.ts";
import type { Clock } from "../../shared/ports/platform.ts";
import { type ReceivedEvent, receiveRow } from "../revoker/received-event.ts";

/** Well above what an event takes through the log. */
const overdueMs = 1_500;

export interface OverdueDeps {
  /** Whether this worker is at it: the event of a user with very many tokens takes its time. */
  readonly isUnderWay: (eventId: string) => boolean;
  readonly clock: Clock;
  readonly namespace: string;
}

/**
 * Finds own events that the log took and nobody handles. The partitions of a worker that died are nobody's until its
 * session has run out, which takes longer than an accepted deactivation may: the row says all that the event does, so
 * it is applied from the row. That it comes through the log later, too, does no harm.
 */
export function createFindOverdue({ isUnderWay, clock, namespace }: OverdueDeps) {
  const source = ownSource(namespace);
  let firstSeenAtMs: ReadonlyMap<string, number> = new Map();

  return function findOverdue(pending: readonly LedgerRow[]): ReceivedEvent[] {
    const nowMs = clock.monotonicMs();
    const own = pending.filter((row) => row.source === source);
    firstSeenAtMs = new Map(own.map(({ eventId }) => [eventId, firstSeenAtMs.get(eventId) ?? nowMs]));
    return own
      .filter((row) => isOverdue(row, nowMs) && !isUnderWay(row.eventId))
      .map((row) => receiveRow(row, namespace));
  };

  /** By our own clock too, since that of whoever asked for it may be ahead. */
  function isOverdue({ eventId, requestedAtMs }: LedgerRow, nowMs: number): boolean {
    const seenForMs = nowMs - (firstSeenAtMs.get(eventId) ?? nowMs);
    return seenForMs >= overdueMs || clock.wallMs() - requestedAtMs >= overdueMs;
  }
}
