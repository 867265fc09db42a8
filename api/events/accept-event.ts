import type { Audit } from "../../shared/audit/audit.ts";
import { AppError } from "../../shared/errors.ts";
import { decodeEvent } from "../../shared/events/decode-event.ts";
import { encodeEvent } from "../../shared/events/encode-event.ts";
import type { DeadLetterReason, QuashEvent } from "../../shared/events/event.ts";
import { requireSameEvent } from "../../shared/events/event-content.ts";
import { ledgerIdOf } from "../../shared/events/event-id.ts";
import { reservedSourcePattern } from "../../shared/events/event-schema.ts";
import type { ClientStore } from "../../shared/ports/client-store.ts";
import type { EventLog } from "../../shared/ports/event-log.ts";
import type { Ledger, LedgerRow } from "../../shared/ports/ledger.ts";
import type { Clock } from "../../shared/ports/platform.ts";
import type { UserStore } from "../../shared/ports/user-store.ts";
import { pendingRowOf } from "../../shared/revocation/pending-row.ts";
import { createResolveUser, rowOfUpstream } from "../../shared/revocation/resolve-user.ts";
import { rejected, type SentEvent } from "./event-record.ts";

export interface AcceptEventDeps {
  readonly users: Pick<UserStore, "findById" | "findByExternalIdentity">;
  readonly clients: Pick<ClientStore, "findClient">;
  readonly ledger: Pick<Ledger, "find" | "insertPending">;
  readonly eventLog: Pick<EventLog, "publish">;
  readonly clock: Pick<Clock, "wallMs">;
  readonly audit: Audit;
  readonly namespace: string;
  /** `iss` of our own tokens. */
  readonly ownIssuer: string;
}

/** Who sent it, by his token, and in which request. */
export interface Sender {
  readonly actor: string;
  readonly requestId: string;
}

const reservedSource = new RegExp(reservedSourcePattern);

/**
 * Takes an event of an upstream system: validated as the revoker does, published, and then noted as pending, so that
 * its receipt can be read as soon as it is answered. A failure leaves nothing or an event without an answer; sent again
 * under its source and id it is the same event, and one that is known is not published again unless it failed.
 * Throws `forbidden`, `event-rejected`, `idempotency-conflict`, `body-malformed` and `dependency-unavailable`.
 */
export function createAcceptEvent(deps: AcceptEventDeps) {
  const { ledger, eventLog, clock, namespace } = deps;
  const resolveUser = createResolveUser(deps.users, deps.ownIssuer);

  return async function acceptEvent(sent: SentEvent, sender: Sender): Promise<LedgerRow> {
    const nowMs = clock.wallMs();
    const event = decode(sent, nowMs);
    await refuseUnlessOf(event, sender);
    const eventId = ledgerIdOf(event, namespace);
    const times = { effectiveAtMs: event.timeMs, requestedAtMs: nowMs };
    const pendingRow = pendingRowOf(event, { eventId, isOwn: false, ...times });
    const known = await ledger.find(eventId);
    if (known !== null) requireSameEvent(known, pendingRow);
    if (known !== null && known.status !== "failed") return known;
    const user = event.type === "token.revoked" ? null : await resolveUser({ event });
    await eventLog.publish("events", [encodeEvent(event)]);
    noteAccepted(event, { ...sender, eventId, subject: user?.id ?? null });
    await ledger.insertPending([
      event.type === "token.revoked" ? pendingRow : rowOfUpstream({ event, pendingRow }, user),
    ]);
    const row = await ledger.find(eventId);
    if (row === null)
      throw new AppError("dependency-unavailable", "The row was purged; send the event again.");
    // Another one may have come at the same moment, and first.
    requireSameEvent(row, pendingRow);
    return row;
  };

  /** A client that has sources may name no other one. */
  async function refuseUnlessOf({ source }: QuashEvent, { actor }: Sender): Promise<void> {
    const { sources = [] } = (await deps.clients.findClient(actor)) ?? {};
    if (sources.length === 0 || sources.includes(source)) return;
    throw new AppError("forbidden", `The events of this client may have the source ${sources.join(", ")}.`);
  }

  /** The event and its receipt name the source that was claimed; this, who claimed it. */
  function noteAccepted(
    { source, type, details }: QuashEvent,
    told: Sender & { readonly eventId: string; readonly subject: string | null },
  ): void {
    deps.audit.record({
      action: "event.accepted",
      ...told,
      object: source,
      reason: details.reason,
      eventType: type,
    });
  }

  /** Its effective time: the revoker takes it from the row, should the broker's clock be behind this one. */
  function decode(sent: SentEvent, nowMs: number): QuashEvent {
    const decoded = decodeEvent(sent, { appendedAtMs: nowMs, namespace });
    if (!decoded.ok) throw refusalOf(decoded);
    const { event } = decoded;
    if (reservedSource.test(event.source)) throw rejected("a source under /quash is this system's own");
    return { ...event, timeMs: Math.min(event.timeMs, nowMs) };
  }
}

export type AcceptEvent = ReturnType<typeof createAcceptEvent>;

function refusalOf({
  reason,
  detail,
}: {
  readonly reason: DeadLetterReason;
  readonly detail: string;
}): AppError {
  if (reason === "not-json") return new AppError("body-malformed", `The body is no event: ${detail}.`);
  return rejected(`${reason}: ${detail}`);
}
