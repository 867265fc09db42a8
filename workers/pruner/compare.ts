import type { Log } from "../../shared/log.ts";
import type { Metrics } from "../../shared/metrics.ts";
import type { Ledger, LedgerRow } from "../../shared/ports/ledger.ts";
import type { Platform } from "../../shared/ports/platform.ts";
import type { RevocationStore, StoreState } from "../../shared/ports/revocation-store.ts";
import { additionKinds, clockErrorAllowedMs } from "../../shared/revocation/addition.ts";
import type { Names } from "../revoker/plan.ts";
import {
  type Implied,
  isInStore,
  type LedgerContentsDeps,
  ledgerContents,
  type StepSizes,
} from "./ledger-contents.ts";
import { WantedRecords } from "./wanted-records.ts";

export interface CompareDeps {
  readonly ledger: LedgerContentsDeps["ledger"] & Pick<Ledger, "readFence">;
  readonly store: Pick<RevocationStore, "readState" | "load" | "add">;
  readonly platform: Pick<Platform, "clock" | "timers">;
  readonly names: Names;
  readonly log: Log;
  readonly metrics: Pick<Metrics, "divergences" | "comparedAt">;
  /** How many records of the ledger are compared with the store at once: about 200 bytes of memory each. */
  readonly batchSize?: number;
  readonly sizes?: StepSizes;
}

const addStep = 400;
/** At least, between two steps of the ledger, and between two chunks of the store: nobody is held up by a comparison. */
const pauseMs = 10;
const eventsNamed = 5;

/**
 * Compares the ledger with the store, and puts back what the store has lost: a repair writes what a store lacks that is
 * known to have lost something, this finds what it lost unnoticed. What it puts back goes through the feed, so the
 * instances learn of it at once.
 *
 * Only rows count of which the store is known to have held everything: enforced ones, and those noted as applied under
 * the incarnation that the store and the fence have. A pending row is somebody's work in progress, and one noted
 * under another incarnation is written again by the look. The store is read after the ledger: what a row was noted
 * for was there before. When the incarnation changes meanwhile, the repair has the word, and the round ends. While the
 * ledger is read, half of the time at least is left to others.
 *
 * Adding is idempotent, so two workers at once do no harm.
 */
export function createCompare(deps: CompareDeps) {
  const { ledger, store, platform, names, log, metrics, batchSize = 200_000, sizes } = deps;
  const { clock, timers } = platform;

  for (const kind of additionKinds) metrics.divergences.inc({ where: "store", cause: `${kind}-missing` }, 0);

  return async function compare(signal: AbortSignal): Promise<void> {
    const incarnation = (await readValidState())?.incarnation ?? null;
    if (incarnation === null) return;
    const includes = (row: LedgerRow) => isInStore(row, incarnation);
    let wanted = new WantedRecords();
    const nowMs = clock.wallMs() - clockErrorAllowedMs;
    let sinceMs = clock.monotonicMs();
    const query = { nowMs, includes, ...(sizes === undefined ? {} : { sizes }) };
    for await (const { implied } of ledgerContents({ ledger, names }, query)) {
      const tookMs = clock.monotonicMs() - sinceMs;
      for (const one of implied) wanted.add(one);
      if (wanted.size >= batchSize) {
        if (!(await putBack(wanted, incarnation, signal))) return;
        wanted = new WantedRecords();
      }
      await timers.sleep(Math.max(pauseMs, tookMs), signal);
      if (signal.aborted || (await store.readState()).incarnation !== incarnation) return;
      sinceMs = clock.monotonicMs();
    }
    if (!(await putBack(wanted, incarnation, signal))) return;
    metrics.comparedAt.set({ where: "store" }, clock.wallMs() / 1_000);
  };

  async function readValidState(): Promise<StoreState | null> {
    const state = await store.readState();
    return state.incarnation === (await ledger.readFence())?.incarnation ? state : null;
  }

  /** False when the round has to end. */
  async function putBack(wanted: WantedRecords, incarnation: string, signal: AbortSignal): Promise<boolean> {
    if (wanted.size === 0) return true;
    for await (const chunk of store.load()) {
      wanted.strikeOff(chunk);
      await timers.sleep(pauseMs, signal);
      if (signal.aborted) return false;
    }
    if (wanted.size === 0) return true;
    const state = await readValidState();
    if (state?.incarnation !== incarnation) return false;
    const missing = wanted.left({ nowMs: clock.wallMs(), storeTimeMs: state.storeTimeMs });
    for (let at = 0; at < missing.length; at += addStep) {
      const step = missing.slice(at, at + addStep);
      await store.add(step.map(({ addition }) => addition));
      tell(step, incarnation);
    }
    return true;
  }

  function tell(putBackNow: readonly Implied[], incarnation: string): void {
    for (const { addition } of putBackNow) {
      metrics.divergences.inc({ where: "store", cause: `${addition.kind}-missing` });
    }
    const eventIds = [...new Set(putBackNow.map(({ eventId }) => eventId))];
    log.warn("store.divergence-repaired", {
      records: putBackNow.length,
      events: eventIds.length,
      event_ids: eventIds.slice(0, eventsNamed),
      incarnation,
    });
  }
}

export type Compare = ReturnType<typeof createCompare>;
