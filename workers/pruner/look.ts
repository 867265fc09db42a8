import { isRetriable } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { Metrics } from "../../shared/metrics.ts";
import type { Fence, Ledger, LedgerRow } from "../../shared/ports/ledger.ts";
import type { Platform } from "../../shared/ports/platform.ts";
import {
  foreignEntries,
  type RevocationStore,
  type StoreState,
} from "../../shared/ports/revocation-store.ts";
import type { SettleReceipts } from "../../shared/receipts/settle-receipts.ts";
import type { RewriteRow } from "../revoker/apply-event.ts";
import { createDamageAllowance } from "./damage-allowance.ts";
import type { NoteLongest } from "./note-longest.ts";
import type { Repair } from "./repair.ts";
import { createStepWatch } from "./step-watch.ts";

export interface LookDeps {
  readonly ledger: Pick<Ledger, "readFence" | "listUnsettled">;
  readonly store: Pick<RevocationStore, "readState" | "readDamaged">;
  readonly noteLongest: NoteLongest;
  readonly repair: Repair;
  readonly rewriteRow: RewriteRow;
  readonly settleReceipts: SettleReceipts;
  readonly platform: Platform;
  readonly log: Log;
  readonly metrics: Metrics;
  /**
   * Where more stay unsettled, the next look goes on behind them, and begins anew after the last. Many unless given: some
   * servers read all of them for a list of the oldest.
   */
  readonly unsettledAtOnce?: number;
}

const causes = ["no-incarnation", "not-the-fence", "clock-stepped", "clock-set-back", "damaged"] as const;
type Cause = (typeof causes)[number];

/** Then the store's validity is looked at again: what is written to an invalid one has to be written again. */
const rewritesInALook = 50;
const bucketsNamed = 5;
/** Clocks that are kept right step by less. */
const futureAtMostMs = 1_000;

/**
 * The worker's look at the store: repairs it where it is invalid, then writes again the rows that were noted under
 * another incarnation, then settles the receipts that everybody enforces.
 */
export function createLook(deps: LookDeps) {
  const { ledger, store, repair, noteLongest, rewriteRow, settleReceipts, platform, log, metrics } = deps;
  const { unsettledAtOnce = 5_000 } = deps;
  const stepWatch = createStepWatch(platform.clock);
  const damageAllowance = createDamageAllowance(platform.clock);
  /** The cause that was logged last; null while the store is valid. */
  let toldCause: Cause | null = null;
  /** The last one of those that stayed unsettled at the last look; undefined to begin with the oldest. */
  let lastSeen: LedgerRow | undefined;
  // A counter that appears with its first repair has not grown, for who watches its growth.
  for (const cause of causes) metrics.repairs.inc({ cause }, 0);
  for (const cause of ["bucket-damaged", ...foreignEntries]) {
    metrics.divergences.inc({ where: "store", cause }, 0);
  }
  /** Rows that could not be rewritten: they come last. */
  let failing: ReadonlySet<string> = new Set();

  return async function look(signal: AbortSignal): Promise<void> {
    while ((await lookOnce()) === "more" && !signal.aborted);
  };

  async function lookOnce(): Promise<"more" | "done"> {
    const sentAtMs = platform.clock.monotonicMs();
    const state = await store.readState();
    const hasStepped = stepWatch.isRepairDue(state, sentAtMs);
    const fence = await ledger.readFence();
    const { buckets: damaged, foreign } = await store.readDamaged();
    for (const [entry, count] of foreign) metrics.divergences.inc({ where: "store", cause: entry }, count);
    const unsound = hasStepped ? "clock-stepped" : causeForRepair(state, fence);
    const cause = unsound ?? (damageAllowance.isDue(damaged) ? "damaged" : null);
    if (cause !== null) {
      tell(cause, fence);
      await repairFor(cause, damaged);
      return "done";
    }
    toldCause = null;
    await noteLongest(state, fence);
    return settle(state.incarnation);
  }

  function causeForRepair(state: StoreState, fence: Fence | null): Cause | null {
    if (state.incarnation === null) return "no-incarnation";
    if (state.incarnation !== fence?.incarnation) return "not-the-fence";
    // Receipts wait for the incarnation to grow old: one from the future would make them wait for it, too.
    return state.incarnationSinceMs - state.storeTimeMs > futureAtMostMs ? "clock-set-back" : null;
  }

  function tell(cause: Cause, fence: Fence | null): void {
    if (cause === toldCause) return;
    toldCause = cause;
    const isFirst = (fence?.incarnation ?? null) === null;
    log[isFirst ? "info" : "warn"](isFirst ? "store.unprepared" : "store.invalid", { cause });
  }

  /** One that is busy elsewhere, or was lost, is looked at again with the next look. */
  async function repairFor(cause: Cause, damaged: readonly string[]): Promise<void> {
    const outcome = await repair({ asWiped: cause === "clock-stepped", damaged });
    if (outcome === "busy") return;
    metrics.repairs.inc({ cause });
    if (outcome !== "repaired") return;
    if (cause === "clock-stepped") stepWatch.repaired();
    if (damaged.length === 0) return;
    damageAllowance.repaired(damaged);
    metrics.divergences.inc({ where: "store", cause: "bucket-damaged" }, damaged.length);
    log.warn("store.damage-repaired", { buckets: damaged.length, names: damaged.slice(0, bucketsNamed) });
  }

  async function settle(incarnation: string | null): Promise<"more" | "done"> {
    const rows = await ledger.listUnsettled(unsettledAtOnce, lastSeen);
    const outdated = rows.filter((row) => row.incarnation !== incarnation);
    const rewritten = await rewrite(outdated);
    const settled = await settleReceipts(rows.filter((row) => row.incarnation === incarnation));
    const enforced = settled.filter(({ row }) => row.status === "enforced");
    metrics.enforced.inc(enforced.length);
    for (const { row } of enforced) log.debug("revocation.enforced", { event_id: row.eventId });
    const isFull = rows.length === unsettledAtOnce;
    const hasChanged = rewritten + enforced.length > 0;
    lastSeen = isFull && !hasChanged ? rows.at(-1) : undefined;
    return hasChanged && (isFull || outdated.length > rewritesInALook) ? "more" : "done";
  }

  async function rewrite(outdated: readonly LedgerRow[]): Promise<number> {
    const isFailing = ({ eventId }: LedgerRow) => failing.has(eventId);
    const inTurn = [...outdated.filter((row) => !isFailing(row)), ...outdated.filter(isFailing)];
    const failed = new Set(
      inTurn
        .slice(rewritesInALook)
        .filter(isFailing)
        .map(({ eventId }) => eventId),
    );
    let rewritten = 0;
    for (const row of inTurn.slice(0, rewritesInALook)) {
      try {
        await rewriteRow(row, () => Promise.resolve());
        rewritten += 1;
      } catch (err) {
        if (isRetriable(err)) throw err;
        failed.add(row.eventId);
        log.error("revocation.rewrite-failed", { event_id: row.eventId, err });
      }
    }
    failing = failed;
    return rewritten;
  }
}

export type Look = ReturnType<typeof createLook>;
