import type { Log } from "../../shared/log.ts";
import type { Metrics } from "../../shared/metrics.ts";
import type { Parts } from "../../shared/ports/parts.ts";
import type { Platform } from "../../shared/ports/platform.ts";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import { createInstanceObserver } from "../../shared/receipts/instance-observer.ts";
import { createSettleReceipts } from "../../shared/receipts/settle-receipts.ts";
import { longestOfAny } from "../../shared/revocation/longest.ts";
import { createPruningClock } from "../../shared/revocation/pruning-clock.ts";
import { type Loop, startLoop } from "../loop.ts";
import type { RewriteRow } from "../revoker/apply-event.ts";
import type { Names } from "../revoker/plan.ts";
import { createCompare } from "./compare.ts";
import { createLook } from "./look.ts";
import { createLowerLongest } from "./lower-longest.ts";
import { createNoteLongest } from "./note-longest.ts";
import { createPurge } from "./purge.ts";
import { createRepair } from "./repair.ts";

export interface PrunerOptions {
  readonly database: Parts["database"];
  readonly store: RevocationStore;
  readonly rewriteRow: RewriteRow;
  readonly platform: Platform;
  readonly names: Names;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly syncIntervalMs: number;
}

const purgeIntervalMs = 30_000;
const compareIntervalMs = 60_000;
/** What the longest lifetime is taken for while no instance has named one. */
const unknownLifetimeMs = longestOfAny.tokenLifetimeSeconds * 1_000;

/**
 * Looks after the store and the receipts every sync interval; compares the ledger with the store, and removes what has
 * expired, now and then.
 */
export function startPruner(options: PrunerOptions): Loop {
  const { database, store, rewriteRow, platform, names, log, metrics, syncIntervalMs } = options;
  const { users, sessions, clients, idempotency, ledger } = database;
  const { clock } = platform;

  const observer = createInstanceObserver({ store, clock });
  const settleReceipts = createSettleReceipts({ ledger, observer, clock });
  const repair = createRepair({ ledger, store, platform, names, log });
  const noteLongest = createNoteLongest({ ledger, store });
  const look = createLook({
    ledger,
    store,
    repair,
    noteLongest,
    rewriteRow,
    settleReceipts,
    platform,
    log,
    metrics,
  });

  const compare = createCompare({ ledger, store, platform, names, log, metrics });

  let longestLifetimeMs = unknownLifetimeMs;
  const pruningClock = createPruningClock(clock, () => longestLifetimeMs);
  const purge = createPurge({
    users,
    sessions,
    idempotency,
    clients,
    ledger,
    store,
    observer,
    pruningClock,
    log,
    metrics,
  });

  const lowerLongest = createLowerLongest({ ledger, store, clock, log });

  async function purgeByLongest(signal: AbortSignal): Promise<void> {
    const fence = await ledger.readFence();
    const lifetimeMs = (fence?.longest.tokenLifetimeSeconds ?? 0) * 1_000;
    longestLifetimeMs = lifetimeMs === 0 ? unknownLifetimeMs : lifetimeMs;
    await purge(signal);
  }

  const common = { platform, log };
  const looks = startLoop({ ...common, name: "look", intervalMs: syncIntervalMs, run: look });
  const purges = startLoop({ ...common, name: "purge", intervalMs: purgeIntervalMs, run: purgeByLongest });
  const lowerings = startLoop({ ...common, name: "lower", intervalMs: purgeIntervalMs, run: lowerLongest });
  const comparisons = startLoop({ ...common, name: "compare", intervalMs: compareIntervalMs, run: compare });
  return {
    async close() {
      await Promise.all([looks, purges, lowerings, comparisons].map((loop) => loop.close()));
    },
  };
}
