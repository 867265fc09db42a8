import { ownSource } from "../../shared/events/event.ts";
import type { LedgerRow } from "../../shared/ports/ledger.ts";
import type { Clock } from "../../shared/ports/platform.ts";
import { receiveRow } from "../revoker/received-event.ts";
import type { ApplyHere } from "./apply-here.ts";

/** By our own clock, since a row was first seen pending; well above what an event takes through the log. */
const overdueMs = 1_500;
const atOnce = 50;

/**
 * Applies own events that the log took and nobody handles. The partitions of a worker that died are nobody's until
 * its session has run out, which takes longer than an accepted deactivation may: the row says all that the event does.
 * That it comes through the log later, too, does no harm.
 */
export function createApplyOverdue(deps: {
  readonly applyHere: ApplyHere;
  /** Whether this worker is at it: the event of a user with very many tokens takes its time. */
  readonly isUnderWay: (eventId: string) => boolean;
  readonly clock: Clock;
  readonly namespace: string;
}) {
  const { applyHere, isUnderWay, clock, namespace } = deps;
  const source = ownSource(namespace);
  let firstSeenAtMs: ReadonlyMap<string, number> = new Map();
  /** Refused for good: the revoker makes a dead letter of it. */
  const done = new Set<string>();

  return async function applyOverdue(pending: readonly LedgerRow[]): Promise<void> {
    const nowMs = clock.monotonicMs();
    const own = pending.filter((row) => row.source === source);
    firstSeenAtMs = new Map(own.map(({ eventId }) => [eventId, firstSeenAtMs.get(eventId) ?? nowMs]));
    for (const eventId of done) if (!firstSeenAtMs.has(eventId)) done.delete(eventId);
    const overdue = own.filter(
      ({ eventId }) =>
        !done.has(eventId) &&
        !isUnderWay(eventId) &&
        nowMs - (firstSeenAtMs.get(eventId) ?? nowMs) >= overdueMs,
    );
    const events = overdue.slice(0, atOnce).map((row) => receiveRow(row, namespace));
    await applyHere(events, (eventId) => done.add(eventId));
  };
}
