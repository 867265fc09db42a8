import { isRetriable } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { Metrics } from "../../shared/metrics.ts";
import type { Fence, Ledger } from "../../shared/ports/ledger.ts";
import type { Platform } from "../../shared/ports/platform.ts";
import type { RevocationStore, StoreState } from "../../shared/ports/revocation-store.ts";
import type { SettleReceipts } from "../../shared/receipts/settle-receipts.ts";
import { clockErrorAllowedMs } from "../../shared/revocation/addition.ts";
import { backOffMs } from "../back-off.ts";
import type { RewriteRow } from "../revoker/apply-event.ts";
import type { Repair } from "./repair.ts";

export interface LookDeps {
  readonly ledger: Pick<Ledger, "readFence" | "listUnsettled">;
  readonly store: Pick<RevocationStore, "readState" | "raiseLongest">;
  readonly repair: Repair;
  readonly rewriteRow: RewriteRow;
  readonly settleReceipts: SettleReceipts;
  readonly platform: Platform;
  readonly log: Log;
  readonly metrics: Metrics;
}

type Cause = "no-incarnation" | "not-the-fence" | "clock-stepped";

const unsettledAtOnce = 500;

/**
 * The worker's look at the store: repairs it where it is invalid, then writes again the rows that were noted under
 * another incarnation, then settles the receipts that everybody enforces.
 */
export function createLook(deps: LookDeps) {
  const { ledger, store, repair, rewriteRow, settleReceipts, platform, log, metrics } = deps;
  /** Of the store's time to our monotonic clock, as it was at the last look. */
  let clockOffsetMs: number | undefined;
  let repairIsDue = false;
  let lostInARow = 0;

  return async function look(signal: AbortSignal): Promise<void> {
    const state = await store.readState();
    const fence = await ledger.readFence();
    const cause = causeForRepair(state, fence);
    if (cause !== null) {
      const isFirst = (fence?.incarnation ?? null) === null;
      log[isFirst ? "info" : "warn"](isFirst ? "store.unprepared" : "store.invalid", { cause });
      await repairFor(cause, signal);
      return;
    }
    lostInARow = 0;
    await copyLongest(state, fence);
    await settle(state.incarnation);
  };

  function causeForRepair(state: StoreState, fence: Fence | null): Cause | null {
    const offsetMs = state.storeTimeMs - platform.clock.monotonicMs();
    const steppedMs = offsetMs - (clockOffsetMs ?? offsetMs);
    clockOffsetMs = offsetMs;
    // Remembered until a repair has succeeded: the next look would no longer see the step.
    if (Math.abs(steppedMs) > clockErrorAllowedMs) repairIsDue = true;
    if (repairIsDue) return "clock-stepped";
    if (state.incarnation === null) return "no-incarnation";
    return state.incarnation === fence?.incarnation ? null : "not-the-fence";
  }

  async function repairFor(cause: Cause, signal: AbortSignal): Promise<void> {
    metrics.repairs.inc({ cause });
    if (await repair({ asWiped: cause === "clock-stepped" })) {
      repairIsDue = false;
      lostInARow = 0;
      return;
    }
    // Somebody else repairs it: leave him time to end, the longer the more often this happens.
    lostInARow += 1;
    await platform.timers.sleep(
      backOffMs(lostInARow, platform.randomness, { minMs: 500, maxMs: 10_000 }),
      signal,
    );
  }

  async function copyLongest({ longest }: StoreState, fence: Fence | null): Promise<void> {
    if (fence === null) return;
    const isBehind =
      fence.longest.tokenLifetimeSeconds > longest.tokenLifetimeSeconds ||
      fence.longest.maxStalenessMs > longest.maxStalenessMs;
    if (isBehind) await store.raiseLongest(fence.longest);
  }

  async function settle(incarnation: string | null): Promise<void> {
    const rows = await ledger.listUnsettled(unsettledAtOnce);
    for (const row of rows) {
      if (row.incarnation === incarnation) continue;
      await rewriteRow(row, () => Promise.resolve()).catch((err: unknown) => {
        if (isRetriable(err)) throw err;
        log.error("revocation.rewrite-failed", { event_id: row.eventId, err });
      });
    }
    const settled = await settleReceipts(rows.filter((row) => row.incarnation === incarnation));
    const enforced = settled.filter(({ row }) => row.status === "enforced");
    metrics.enforced.inc(enforced.length);
    for (const { row } of enforced) log.debug("revocation.enforced", { event_id: row.eventId });
  }
}

export type Look = ReturnType<typeof createLook>;
