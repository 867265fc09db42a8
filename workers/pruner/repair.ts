import type { Log } from "../../shared/log.ts";
import type { Ledger, LedgerRow } from "../../shared/ports/ledger.ts";
import type { Platform } from "../../shared/ports/platform.ts";
import { type RepairStart, type RevocationStore, repairLockMs } from "../../shared/ports/revocation-store.ts";
import { readAhead } from "../../shared/read-ahead.ts";
import { clockErrorAllowedMs } from "../../shared/revocation/addition.ts";
import { nothingLong } from "../../shared/revocation/longest.ts";
import type { Names } from "../revoker/plan.ts";
import { ledgerContents, type StepSizes } from "./ledger-contents.ts";

export interface RepairDeps {
  readonly ledger: Ledger;
  readonly store: Pick<
    RevocationStore,
    "beginRepair" | "confirmLongest" | "discard" | "repair" | "completeRepair"
  >;
  readonly platform: Pick<Platform, "clock" | "ids" | "timers">;
  readonly names: Names;
  readonly log: Log;
  readonly sizes?: StepSizes;
}

export interface RepairOptions {
  /** What is found in the store counts for nothing: its contents may have gone with its time. */
  readonly asWiped: boolean;
  /** Buckets that hold something else than our records: taken away before anything is written. None unless given. */
  readonly damaged?: readonly string[];
}

/** Busy: somebody else is at it, and lives. Lost: the lock went meanwhile, so nothing is valid by this repair. */
export type RepairOutcome = "repaired" | "busy" | "lost";

const showLifeEveryMs = repairLockMs / 5;

/**
 * Makes the store valid again, from the ledger:
 *
 *   lock (reads what is there, takes the incarnation away) -> fence -> longest lifetime -> ledger, page by page
 *   -> incarnation
 *
 * The fence is written before the ledger is read: a revoker that notes a row under the old incarnation reads the
 * fence afterwards, so either its row is read here, or it sees the new fence and writes again. The store knows the
 * longest lifetime before it is given anything: it keeps a cut-off for so long. The incarnation is set last: a repair
 * left half-way leaves none. A lost lock ends this repair; whoever wants to repair starts again with the lock.
 */
export function createRepair(deps: RepairDeps) {
  const { ledger, store, platform, names, log, sizes } = deps;

  /** Of attempts that broke off: the next one takes over from them, instead of waiting for them to lapse. */
  let givenUp: readonly string[] = [];

  return async function repair(options: RepairOptions): Promise<RepairOutcome> {
    const lock = platform.ids.uuid();
    const before = givenUp;
    // While it does not answer, the store may have the one that it had, or this one.
    givenUp = [...before.slice(0, 1), lock];
    const start = await store.beginRepair(lock, before);
    givenUp = start === null ? [] : [lock];
    if (start === null) return "busy";
    if (start.unsound.length > 0) log.error("store.unsound", { taken_away: start.unsound });
    const outcome = await repairWith(lock, start, options);
    givenUp = [];
    return outcome;
  };

  async function repairWith(
    lock: string,
    start: RepairStart,
    options: RepairOptions,
  ): Promise<RepairOutcome> {
    const stop = new AbortController();
    const shown = showLife(lock, stop.signal);
    try {
      const isRepaired = await repairUnder(lock, start, options);
      if (!isRepaired) log.info("store.repair-lost");
      return isRepaired ? "repaired" : "lost";
    } finally {
      stop.abort();
      await shown;
    }
  }

  /** However slowly the ledger answers, the lock is not taken for a dead one's. */
  async function showLife(lock: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      await platform.timers.sleep(showLifeEveryMs, signal);
      if (signal.aborted) return;
      await store.repair(lock, []).catch((err: unknown) => log.debug("store.repair-unseen", { err }));
    }
  }

  async function repairUnder(
    lock: string,
    start: RepairStart,
    { asWiped, damaged = [] }: RepairOptions,
  ): Promise<boolean> {
    const incarnation = platform.ids.uuid();
    const isFirst = ((await ledger.readFence())?.incarnation ?? null) === null;
    await ledger.writeFence(incarnation);
    await store.confirmLongest((await ledger.readFence())?.longest ?? nothingLong);

    if (damaged.length > 0 && !(await store.discard(lock, damaged))) return false;
    const found = asWiped || damaged.length > 0 ? null : start;
    const lost = ledgerContents(
      { ledger, names },
      {
        nowMs: platform.clock.wallMs() - clockErrorAllowedMs,
        includes: (row) => !isThere(row, found),
        ...(sizes === undefined ? {} : { sizes }),
      },
    );
    const written = { rows: 0, additions: 0 };
    for await (const { rows, implied } of readAhead(lost)) {
      const additions = implied.map(({ addition }) => addition);
      if (additions.length > 0 && !(await store.repair(lock, additions))) return false;
      written.rows += rows;
      written.additions += additions.length;
    }
    const longest = (await ledger.readFence())?.longest ?? nothingLong;
    const isWhole = found === null || found.incarnation === null;
    const wholeSinceMs = isWhole ? start.atMs : null;
    if (!(await store.completeRepair(lock, { incarnation, isFirst, longest, wholeSinceMs }))) return false;
    log.info("store.repaired", {
      incarnation,
      found: start.incarnation,
      rows_written: written.rows,
      additions_written: written.additions,
      is_first: isFirst,
    });
    return true;
  }
}

export type Repair = ReturnType<typeof createRepair>;

/** What a server keeps of its past is a prefix: a row noted at or before the head that was found is in it. */
function isThere(row: LedgerRow, found: RepairStart | null): boolean {
  if (found === null || found.incarnation === null || row.position === null) return false;
  return row.incarnation === found.incarnation && row.position <= found.head;
}
