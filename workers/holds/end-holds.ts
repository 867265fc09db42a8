import type { Audit } from "../../shared/audit/audit.ts";
import { entryOfHold } from "../../shared/audit/hold-entries.ts";
import type { Metrics } from "../../shared/metrics.ts";
import type { Ledger, LedgerRow } from "../../shared/ports/ledger.ts";
import type { Clock } from "../../shared/ports/platform.ts";
import type { Safeguards } from "../../shared/ports/safeguards.ts";
import type { BuryRow } from "./bury-row.ts";

export interface EndHoldsDeps {
  readonly ledger: Pick<Ledger, "listHoldsOver" | "beginHoldEnd" | "endHold" | "countHeld" | "readFence">;
  readonly safeguards: Pick<Safeguards, "purgeCounts">;
  readonly buryRow: BuryRow;
  readonly audit: Audit;
  readonly clock: Pick<Clock, "wallMs">;
  readonly metrics: Pick<Metrics, "held" | "holds">;
}

const pageSize = 200;
const countsKeptMs = 3_600_000;
const detail =
  "more users of one source were to be taken out of service than pass without a confirmation; nobody confirmed it";

/**
 * Ends the holds that nobody confirmed: first none can confirm it any more, then the dead letter, then the row says so.
 * Whoever dies in between leaves it to the next round, which may write the letter twice and never leaves it out.
 */
export function createEndHolds({ ledger, safeguards, buryRow, audit, clock, metrics }: EndHoldsDeps) {
  return async function endHolds(signal: AbortSignal): Promise<void> {
    const over = await ledger.listHoldsOver(clock.wallMs(), pageSize);
    for (const row of over) if (!signal.aborted) await end(row);
    metrics.held.set(await ledger.countHeld());
    await safeguards.purgeCounts(clock.wallMs() - countsKeptMs, pageSize);
  };

  async function end(row: LedgerRow): Promise<void> {
    const { eventId } = row;
    if (!(await ledger.beginHoldEnd(eventId, clock.wallMs()))) return;
    await buryRow(row, { reason: "hold-expired", detail });
    const lifetimeSeconds = (await ledger.readFence())?.longest.tokenLifetimeSeconds ?? 0;
    await ledger.endHold(eventId, { untilMs: clock.wallMs() + lifetimeSeconds * 1_000 });
    metrics.holds.inc({ outcome: "expired" });
    audit.record(entryOfHold("hold.expired", row, {}));
  }
}
