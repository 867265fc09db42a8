import type { Log } from "../../shared/log.ts";
import type { Ledger, LedgerRow } from "../../shared/ports/ledger.ts";
import type { Platform } from "../../shared/ports/platform.ts";
import {
  type Longest,
  type RepairStart,
  type RevocationStore,
  repairLockMs,
} from "../../shared/ports/revocation-store.ts";
import { type Addition, clockErrorAllowedMs } from "../../shared/revocation/addition.ts";
import { additionsOf, type Names, rulesOfRow } from "../revoker/plan.ts";
import { revocationOf } from "../revoker/write-revocation.ts";

export interface RepairDeps {
  readonly ledger: Ledger;
  readonly store: Pick<RevocationStore, "beginRepair" | "raiseLongest" | "repair" | "completeRepair">;
  readonly platform: Pick<Platform, "clock" | "ids" | "timers">;
  readonly names: Names;
  readonly log: Log;
  readonly pageSize?: number;
}

export interface RepairOptions {
  /** What is found in the store counts for nothing: its contents may have gone with its time. */
  readonly asWiped: boolean;
}

/** Busy: somebody else is at it, and lives. Lost: the lock went meanwhile, so nothing is valid by this repair. */
export type RepairOutcome = "repaired" | "busy" | "lost";

const showLifeEveryMs = repairLockMs / 5;
const none: Longest = { tokenLifetimeSeconds: 0, maxStalenessMs: 0 };

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
  const { ledger, store, platform, names, log, pageSize = 400 } = deps;

  /** Of a repair that broke off: the next one takes its own lock again, instead of waiting for it to lapse. */
  let heldLock: string | undefined;

  return async function repair({ asWiped }: RepairOptions): Promise<RepairOutcome> {
    const lock = heldLock ?? platform.ids.uuid();
    heldLock = lock;
    const outcome = await repairWith(lock, asWiped);
    heldLock = undefined;
    return outcome;
  };

  async function repairWith(lock: string, asWiped: boolean): Promise<RepairOutcome> {
    const start = await store.beginRepair(lock);
    if (start === null) return "busy";
    const stop = new AbortController();
    const shown = showLife(lock, stop.signal);
    try {
      const isRepaired = await repairUnder(lock, start, asWiped);
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

  async function repairUnder(lock: string, start: RepairStart, asWiped: boolean): Promise<boolean> {
    const incarnation = platform.ids.uuid();
    const isFirst = ((await ledger.readFence())?.incarnation ?? null) === null;
    await ledger.writeFence(incarnation);
    await store.raiseLongest((await ledger.readFence())?.longest ?? none);

    const found = asWiped ? null : start;
    let rows = 0;
    for await (const page of livePages()) {
      const missing = page.filter((row) => !isThere(row, found));
      rows += missing.length;
      for await (const chunk of additionChunks(missing)) {
        if (!(await store.repair(lock, chunk))) return false;
      }
    }
    const longest = (await ledger.readFence())?.longest ?? none;
    if (!(await store.completeRepair(lock, { incarnation, isFirst, longest }))) return false;
    log.info("store.repaired", {
      incarnation,
      found: start.incarnation,
      rows_written: rows,
      is_first: isFirst,
    });
    return true;
  }

  async function* livePages(): AsyncGenerator<LedgerRow[]> {
    let after: string | undefined;
    for (;;) {
      const nowMs = platform.clock.wallMs() - clockErrorAllowedMs;
      const page = await ledger.listLive({
        nowMs,
        limit: pageSize,
        ...(after === undefined ? {} : { after }),
      });
      if (page.length > 0) yield page;
      after = page.at(-1)?.eventId;
      if (page.length < pageSize) return;
    }
  }

  async function* additionChunks(rows: readonly LedgerRow[]): AsyncGenerator<Addition[]> {
    if (rows.length === 0) return;
    const rules = rows.flatMap((row) => {
      const untilMs = row.untilMs ?? platform.clock.wallMs();
      return additionsOf(rulesOfRow(row), Math.ceil(untilMs / 1_000), names);
    });
    if (rules.length > 0) yield rules;
    const eventIds = rows.map(({ eventId }) => eventId);
    const expiresAfterMs = platform.clock.wallMs() - clockErrorAllowedMs;
    let after: string | undefined;
    for (;;) {
      const page = { expiresAfterMs, limit: pageSize, ...(after === undefined ? {} : { after }) };
      const tokens = await ledger.listMarked(eventIds, page);
      if (tokens.length > 0) {
        yield tokens.map((token) => revocationOf(token, names));
      }
      after = tokens.at(-1)?.jti;
      if (tokens.length < pageSize) return;
    }
  }
}

export type Repair = ReturnType<typeof createRepair>;

/** What a server keeps of its past is a prefix: a row noted at or before the head that was found is in it. */
function isThere(row: LedgerRow, found: RepairStart | null): boolean {
  if (found === null || found.incarnation === null || row.position === null) return false;
  return row.incarnation === found.incarnation && row.position <= found.head;
}
