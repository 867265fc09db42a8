import type { LedgerRow } from "../ports/ledger.ts";
import type { AuditRequest } from "./audit.ts";

/** What is recorded of a revocation that is held: whom it is about, and what was asked. */
export function entryOfHold(
  action: "event.held" | "hold.confirmed" | "hold.expired",
  { eventId, type, subject, jti, reason }: LedgerRow,
  { actor, requestId }: Pick<AuditRequest, "actor" | "requestId">,
): AuditRequest {
  return { action, actor, subject, object: jti, reason, requestId, eventId, eventType: type };
}
