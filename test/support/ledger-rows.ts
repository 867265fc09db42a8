import type { LedgerRow, PendingRow } from "../../shared/ports/ledger.ts";
import { createPosition } from "../../shared/revocation/position.ts";

/** A deactivation of ours that was asked for; `sourceEventId` is the event's own id unless it is changed too. */
export function pendingRow(changed: Partial<PendingRow> = {}): PendingRow {
  const eventId = changed.eventId ?? "e1";
  return {
    eventId,
    type: "user.deactivated",
    subject: "u1",
    external: null,
    jti: null,
    sid: null,
    epoch: null,
    notBefore: null,
    reason: null,
    actor: null,
    source: "/quash/test",
    sourceEventId: eventId,
    content: null,
    effectiveAtMs: 1_000,
    requestedAtMs: 1_000,
    ...changed,
  };
}

/** The same once it is applied, under the incarnation `one` at position 10. */
export function appliedRow(changed: Partial<LedgerRow> = {}): LedgerRow {
  return {
    ...pendingRow({ epoch: 1, ...(changed.eventId === undefined ? {} : { eventId: changed.eventId }) }),
    status: "applied",
    hold: null,
    untilMs: 1,
    unrecorded: false,
    appliedAtMs: 0,
    incarnation: "one",
    position: createPosition(10, 0),
    enforcedAtMs: null,
    tokensRevoked: 0,
    instances: [],
    ...changed,
  };
}
