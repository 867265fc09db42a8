import { createDeadLetter } from "../../shared/events/dead-letter.ts";
import { encodeEvent } from "../../shared/events/encode-event.ts";
import { type DeadLetterReason, heldSource, ownSource } from "../../shared/events/event.ts";
import type { Log } from "../../shared/log.ts";
import type { Metrics } from "../../shared/metrics.ts";
import type { EventLog } from "../../shared/ports/event-log.ts";
import type { LedgerRow } from "../../shared/ports/ledger.ts";
import type { Clock } from "../../shared/ports/platform.ts";
import { receiveRow } from "../revoker/received-event.ts";

export interface BuryRowDeps {
  readonly eventLog: Pick<EventLog, "publish">;
  readonly clock: Pick<Clock, "wallMs">;
  readonly namespace: string;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Such a letter's event came over HTTP, or its record was committed long ago. */
const nowhere = { partition: -1, offset: "-1" } as const;

/**
 * Writes the dead letter of an event that is known from its row. One of ours never changed its user, so it carries no
 * epoch, and is no news of a state: it is written as a request, which a replay treats as an upstream system's.
 */
export function createBuryRow({ eventLog, clock, namespace, log, metrics }: BuryRowDeps) {
  return async function buryRow(
    row: LedgerRow,
    { reason, detail }: { readonly reason: DeadLetterReason; readonly detail: string },
  ): Promise<void> {
    const { event } = receiveRow(row, namespace);
    const isOwn = row.source === ownSource(namespace);
    const { key, value } = encodeEvent(isOwn ? { ...event, source: heldSource(namespace) } : event);
    const record = {
      key: typeof key === "string" ? new TextEncoder().encode(key) : key,
      value,
      headers: { "content-type": new TextEncoder().encode("application/cloudevents+json") },
      topic: `${namespace}.user-events`,
      appendedAtMs: row.requestedAtMs,
      ...nowhere,
    };
    const letter = createDeadLetter(record, { reason, detail, attempts: 1, atMs: clock.wallMs() });
    try {
      await eventLog.publish("dead-letters", [letter]);
    } catch (error) {
      metrics.deadLetterFailures.inc();
      throw error;
    }
    metrics.deadLetters.inc({ reason });
    log.warn("event.dead-lettered", { event_id: row.eventId, reason, detail });
  };
}

export type BuryRow = ReturnType<typeof createBuryRow>;
