import { pruneAudit } from "../../shared/audit/prune-audit.ts";
import type { Log } from "../../shared/log.ts";
import type { Metrics } from "../../shared/metrics.ts";
import type { AuditStore } from "../../shared/ports/audit-store.ts";
import type { Platform } from "../../shared/ports/platform.ts";
import { createPruningClock } from "../../shared/revocation/pruning-clock.ts";
import { type Loop, startLoop } from "../loop.ts";

export interface AuditPrunerOptions {
  readonly store: AuditStore;
  readonly retentionDays: number;
  readonly platform: Platform;
  readonly log: Log;
  readonly metrics: Pick<Metrics, "pruned">;
}

const intervalMs = 3_600_000;
const dayMs = 86_400_000;

/** By a clock that a step of the wall clock does not carry away: it is followed only once it has lasted for an hour. */
export function startAuditPruner({ store, retentionDays, platform, log, metrics }: AuditPrunerOptions): Loop {
  const pruningClock = createPruningClock(platform.clock, () => intervalMs);

  async function run(signal: AbortSignal): Promise<void> {
    const nowMs = platform.clock.wallMs();
    const beforeMs = pruningClock.nowMs() - retentionDays * dayMs;
    // The pruning clock has yet to catch up: reading the chains would find nothing, at each start of a worker.
    if (beforeMs < 0) return;
    const removed = await pruneAudit(store, { beforeMs, nowMs, signal });
    if (removed === 0) return;
    metrics.pruned.inc({ kind: "audit_records" }, removed);
    log.info("pruner.purged", { audit_records: removed });
  }

  return startLoop({ name: "audit", intervalMs, platform, log, run });
}
