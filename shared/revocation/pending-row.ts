import type { QuashEvent } from "../events/event.ts";
import { contentOf } from "../events/event-content.ts";
import type { PendingRow } from "../ports/ledger.ts";

export interface PendingRowOptions {
  /** The ledger's id of the event: its own id if it is ours, else derived from (source, id). */
  readonly eventId: string;
  readonly isOwn: boolean;
  /** The earlier of the event's time and its append time; the event's own time if it is ours. */
  readonly effectiveAtMs: number;
  readonly requestedAtMs: number;
}

/**
 * The row that says "this was asked for". The epoch of an own event is news of the user's state; an upstream
 * event's cut-off is decided when it is applied.
 */
export function pendingRowOf(event: QuashEvent, options: PendingRowOptions): PendingRow {
  const { details } = event;
  return {
    eventId: options.eventId,
    type: event.type,
    subject: event.subject ?? null,
    external: details.external ?? null,
    jti: details.jti ?? null,
    sid: options.isOwn ? (details.sid ?? null) : null,
    epoch: options.isOwn ? (details.epoch ?? null) : null,
    notBefore: null,
    reason: details.reason ?? null,
    actor: details.actor ?? null,
    source: event.source,
    sourceEventId: event.id,
    content: options.isOwn ? null : contentOf(event),
    effectiveAtMs: options.effectiveAtMs,
    requestedAtMs: options.requestedAtMs,
  };
}

export function pendingRowOfOwnEvent(event: QuashEvent): PendingRow {
  return pendingRowOf(event, {
    eventId: event.id,
    isOwn: true,
    effectiveAtMs: event.timeMs,
    requestedAtMs: event.timeMs,
  });
}
