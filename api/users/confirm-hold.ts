import { AppError } from "../../shared/errors.ts";
import { ownSource } from "../../shared/events/event.ts";
import type { CarryOut } from "../../shared/holds/carry-out.ts";
import type { Ledger, LedgerRow } from "../../shared/ports/ledger.ts";
import type { Clock } from "../../shared/ports/platform.ts";
import type { Publish } from "./own-event.ts";

export interface ConfirmHoldDeps {
  readonly ledger: Pick<Ledger, "find" | "confirmHold">;
  readonly carryOut: CarryOut;
  readonly publish: Publish;
  readonly clock: Clock;
  readonly namespace: string;
  readonly onConfirmed: (row: LedgerRow, confirmation: Confirmation) => void;
}

export interface Confirmation {
  readonly by: string;
  readonly requestId: string | undefined;
}

/**
 * Lets a held revocation go its way: one conditional update of its row, so that it is confirmed or ends, and never both.
 * One of ours changes its user at once; a worker does it if this process dies before, and applies an upstream system's.
 * Confirmed again, it is answered as it stands. Throws `not-found`, `hold-over` and what the guard throws: then a worker
 * makes a dead letter of it.
 */
export function createConfirmHold({
  ledger,
  carryOut,
  publish,
  clock,
  namespace,
  onConfirmed,
}: ConfirmHoldDeps) {
  return async function confirmHold(eventId: string, confirmation: Confirmation): Promise<LedgerRow> {
    const { by } = confirmation;
    const confirmed = await ledger.confirmHold(eventId, { by, atMs: clock.wallMs() });
    if (confirmed === null) return confirmedBefore(eventId);
    onConfirmed(confirmed, confirmation);
    if (confirmed.source !== ownSource(namespace) || confirmed.subject === null) return confirmed;
    const { event, changed } = await carryOut(confirmed);
    if (changed) publish({ userId: confirmed.subject, event });
    return confirmed;
  };

  async function confirmedBefore(eventId: string): Promise<LedgerRow> {
    const row = await ledger.find(eventId);
    if (row === null) throw new AppError("not-found", "There is no revocation of this event_id.");
    if (row.hold?.state === "confirmed") return row;
    throw new AppError("hold-over", "This revocation was not held, or its hold has ended; read its receipt.");
  }
}

export type ConfirmHold = ReturnType<typeof createConfirmHold>;
