import type { AuditRequest } from "../../shared/audit/audit.ts";
import type { ReceivedEvent } from "./received-event.ts";

/** An upstream system answers for its events by its own name, whomever they name as the actor. */
export function appliedEntryOf({ event, eventId, isOwn, pendingRow }: ReceivedEvent): AuditRequest {
  const { actor, reason, jti, sid } = event.details;
  return {
    action: "revocation.applied",
    actor: isOwn ? (actor ?? event.source) : event.source,
    subject: pendingRow.subject,
    object: jti ?? (isOwn ? sid : undefined),
    reason,
    eventId,
    eventType: event.type,
  };
}
