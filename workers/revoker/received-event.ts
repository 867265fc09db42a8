import { firstAppendedAtMs } from "../../shared/events/dead-letter.ts";
import { type DecodedEvent, decodeEvent } from "../../shared/events/decode-event.ts";
import { type EventDetails, ownSource, type QuashEvent } from "../../shared/events/event.ts";
import { ledgerIdOf } from "../../shared/events/event-id.ts";
import type { LoggedRecord } from "../../shared/ports/event-log.ts";
import type { LedgerRow, PendingRow } from "../../shared/ports/ledger.ts";
import { pendingRowOf } from "../../shared/revocation/pending-row.ts";

/** An event with what its way here says about it. */
export interface ReceivedEvent {
  readonly event: QuashEvent;
  /** Its id in the ledger. */
  readonly eventId: string;
  readonly isOwn: boolean;
  /** The earlier of its own time and the broker's append time: the same at each redelivery, and when it is replayed. */
  readonly effectiveAtMs: number;
  readonly pendingRow: PendingRow;
  /** It was held, and an administrator confirmed it. */
  readonly isConfirmed: boolean;
}

export type Reception =
  | { readonly ok: true; readonly received: ReceivedEvent }
  | Extract<DecodedEvent, { readonly ok: false }>;

export function receiveRecord(record: LoggedRecord, namespace: string): Reception {
  const appendedAtMs = firstAppendedAtMs(record);
  const decoded = decodeEvent(record, { appendedAtMs, namespace });
  if (!decoded.ok) return decoded;
  return { ok: true, received: receiveEvent(decoded.event, { appendedAtMs, namespace }) };
}

/** `appendedAtMs` is left out for an event that comes from the outbox. */
export function receiveEvent(
  event: QuashEvent,
  { appendedAtMs = event.timeMs, namespace }: { appendedAtMs?: number; namespace: string },
): ReceivedEvent {
  const isOwn = event.source === ownSource(namespace);
  const eventId = ledgerIdOf(event, namespace);
  const effectiveAtMs = isOwn ? event.timeMs : Math.min(event.timeMs, appendedAtMs);
  const requestedAtMs = isOwn ? event.timeMs : appendedAtMs;
  const pendingRow = pendingRowOf(event, { eventId, isOwn, effectiveAtMs, requestedAtMs });
  return { event, eventId, isOwn, effectiveAtMs, pendingRow, isConfirmed: false };
}

/** The event that a row waits for. Its row says what it said, but for the expiry of a token: the recorded one counts. */
export function receiveRow(row: LedgerRow, namespace: string): ReceivedEvent {
  const { eventId, effectiveAtMs } = row;
  const event: QuashEvent = {
    id: row.sourceEventId,
    source: row.source,
    type: row.type,
    timeMs: effectiveAtMs,
    details: detailsOf(row),
    ...(row.subject === null ? {} : { subject: row.subject }),
  };
  const isOwn = row.source === ownSource(namespace);
  const isConfirmed = row.hold?.state === "confirmed";
  return { event, eventId, isOwn, effectiveAtMs, pendingRow: row, isConfirmed };
}

function detailsOf({ epoch, jti, sid, external, reason, actor }: PendingRow): EventDetails {
  return {
    ...(epoch === null ? {} : { epoch }),
    ...(jti === null ? {} : { jti }),
    ...(sid === null ? {} : { sid }),
    ...(external === null ? {} : { external }),
    ...(reason === null ? {} : { reason }),
    ...(actor === null ? {} : { actor }),
  };
}

/** Events with the same key are handled in their order. */
export function orderingKeyOf({ event, eventId }: ReceivedEvent): string {
  const { external } = event.details;
  if (event.subject !== undefined) return `subject ${event.subject}`;
  return external === undefined ? eventId : `external ${JSON.stringify([external.iss, external.sub])}`;
}
