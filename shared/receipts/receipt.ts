import type { EventType, QuashEvent } from "../events/event.ts";
import type { InstanceEnforcement, LedgerRow } from "../ports/ledger.ts";
import type { KeptDeactivation } from "../ports/user-store.ts";

/** Who enforces a revocation, and since when: as it is shown to callers. Times are RFC 3339. */
export interface Receipt {
  readonly event_id: string;
  readonly type: EventType;
  readonly subject: string | null;
  readonly jti?: string;
  readonly reason: string | null;
  readonly source: string;
  /** The id that an upstream system gave to the event. */
  readonly source_event_id?: string;
  readonly status: LedgerRow["status"];
  readonly requested_at: string;
  readonly applied_at: string | null;
  readonly enforced_at: string | null;
  readonly position: string | null;
  readonly instances: readonly { id: string; state: InstanceEnforcement["state"]; at: string | null }[];
  readonly tokens_revoked: number;
}

/** `instances`: as they stand now, for a row that is not settled yet. */
export function receiptOfRow(
  row: LedgerRow,
  instances: readonly InstanceEnforcement[] = row.instances,
): Receipt {
  return {
    event_id: row.eventId,
    type: row.type,
    subject: row.subject,
    ...(row.jti === null ? {} : { jti: row.jti }),
    reason: row.reason,
    source: row.source,
    ...(row.sourceEventId === row.eventId ? {} : { source_event_id: row.sourceEventId }),
    status: row.status,
    requested_at: timeText(row.requestedAtMs),
    applied_at: timeTextOrNull(row.appliedAtMs),
    enforced_at: timeTextOrNull(row.enforcedAtMs),
    position: row.position,
    instances: instances.map(({ id, state, atMs }) => ({ id, state, at: timeTextOrNull(atMs) })),
    tokens_revoked: row.tokensRevoked,
  };
}

/** Of an own event that still waits in the outbox and has no ledger row yet. */
export function receiptOfOwnEvent(event: QuashEvent): Receipt {
  return {
    event_id: event.id,
    type: event.type,
    subject: event.subject ?? null,
    ...(event.details.jti === undefined ? {} : { jti: event.details.jti }),
    reason: event.details.reason ?? null,
    source: event.source,
    status: "pending",
    requested_at: timeText(event.timeMs),
    applied_at: null,
    enforced_at: null,
    position: null,
    instances: [],
    tokens_revoked: 0,
  };
}

/** Of a deactivation whose ledger row has gone with the last token that it could match. */
export function receiptOfKeptDeactivation(subject: string, kept: KeptDeactivation): Receipt {
  const status = kept.enforcedAtMs !== null ? "enforced" : kept.appliedAtMs !== null ? "applied" : "pending";
  return {
    event_id: kept.eventId,
    type: "user.deactivated",
    subject,
    reason: kept.reason,
    source: kept.source,
    status,
    requested_at: timeText(kept.requestedAtMs),
    applied_at: timeTextOrNull(kept.appliedAtMs),
    enforced_at: timeTextOrNull(kept.enforcedAtMs),
    position: null,
    instances: [],
    tokens_revoked: kept.tokensRevoked,
  };
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

function timeTextOrNull(ms: number | null): string | null {
  return ms === null ? null : timeText(ms);
}
