import { AppError, isRetriable } from "../../shared/errors.ts";
import type { QuashEvent } from "../../shared/events/event.ts";
import type { Ledger, LedgerQuery, LedgerRow } from "../../shared/ports/ledger.ts";
import type { User, UserStore } from "../../shared/ports/user-store.ts";
import {
  type Receipt,
  receiptOfKeptDeactivation,
  receiptOfOwnEvent,
  receiptOfRow,
} from "../../shared/receipts/receipt.ts";
import type { SettleReceipts } from "../../shared/receipts/settle-receipts.ts";

export interface ReadReceiptsDeps {
  readonly ledger: Pick<Ledger, "find" | "list">;
  readonly users: Pick<UserStore, "findOutboxEvent">;
  readonly settleReceipts: SettleReceipts;
}

export function createReadReceipts({ ledger, users, settleReceipts }: ReadReceiptsDeps) {
  /** Null when the event is neither in an outbox nor in the ledger. */
  async function find(eventId: string): Promise<Receipt | null> {
    const row = await ledger.find(eventId);
    if (row) return (await settled([row]))[0] ?? null;
    const entry = await users.findOutboxEvent(eventId);
    if (entry) return receiptOfOwnEvent(entry.event);
    // It may have left the outbox between the two reads, and is in the ledger since before it did.
    const later = await ledger.find(eventId);
    return later && receiptOfRow(later);
  }

  /** As they stand now; while the store is away as they stood last. */
  async function settled(rows: readonly LedgerRow[]): Promise<Receipt[]> {
    try {
      return (await settleReceipts(rows)).map(({ row, instances }) => receiptOfRow(row, instances));
    } catch (error) {
      if (!isRetriable(error)) throw error;
      return rows.map((row) => receiptOfRow(row));
    }
  }

  async function get(eventId: string): Promise<Receipt> {
    const receipt = await find(eventId);
    if (receipt === null) throw new AppError("not-found", "There is no revocation of this event_id.");
    return receipt;
  }

  return {
    /** Throws `not-found`. */
    get,

    /**
     * Of what was just done. A change that was made is answered without a read: one that failed would tell the
     * caller to do again what has happened. Reads only for an earlier event, where there was nothing to change.
     */
    async ofChange(done: {
      readonly event: QuashEvent | null;
      readonly eventId: string | null;
    }): Promise<Receipt> {
      return done.event === null ? get(done.eventId ?? "") : receiptOfOwnEvent(done.event);
    },

    /** Of the user's last deactivation, also after its ledger row has gone. */
    async ofLastDeactivation(user: User): Promise<Receipt> {
      const kept = user.lastDeactivation;
      if (kept === null) throw new TypeError("a deactivated user has a last deactivation");
      return (await find(kept.eventId)) ?? receiptOfKeptDeactivation(user.id, kept);
    },

    async list(query: LedgerQuery): Promise<{ items: Receipt[]; last: LedgerRow | null }> {
      const rows = await ledger.list({ ...query, limit: query.limit + 1 });
      const page = rows.slice(0, query.limit);
      return { items: await settled(page), last: rows.length > query.limit ? (page.at(-1) ?? null) : null };
    },
  };
}

export type ReadReceipts = ReturnType<typeof createReadReceipts>;
