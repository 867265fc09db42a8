import type { Log } from "../../shared/log.ts";
import type { Metrics } from "../../shared/metrics.ts";
import type { LostRecords, PartitionGap } from "../../shared/ports/event-log.ts";
import { BatchAbandoned } from "./disposition.ts";
import type { Reconcile } from "./reconcile.ts";

export interface LostEventsDeps {
  readonly reconcile: Reconcile;
  readonly log: Log;
  readonly metrics: Pick<Metrics, "eventsPossiblyLost">;
}

/**
 * Tells of events that retention took before they were handled, once for each gap, and reconciles. Rejects until that
 * has succeeded, so that the group's commit stays before the gap.
 */
export function createHandleLost({ reconcile, log, metrics }: LostEventsDeps) {
  const told = new Set<string>();
  let isFailing = false;

  return async function handleLost({ gaps, isStale }: LostRecords): Promise<void> {
    for (const gap of gaps) tell(gap);
    const requireOwned = async () => {
      if (isStale()) throw new BatchAbandoned();
    };
    const partitions = gaps.map(({ partition }) => partition);
    try {
      const reconciled = await reconcile(requireOwned);
      isFailing = false;
      for (const gap of gaps) told.delete(nameOf(gap));
      log.info("revoker.reconciled", { partitions, ...reconciled });
    } catch (err) {
      if (!(err instanceof BatchAbandoned)) tellOfFailure({ partitions, err });
      throw err;
    }
  };

  function tellOfFailure(fields: Readonly<Record<string, unknown>>): void {
    if (isFailing) log.debug("revoker.reconcile-failed", fields);
    else log.warn("revoker.reconcile-failed", fields);
    isFailing = true;
  }

  function tell(gap: PartitionGap): void {
    if (told.has(nameOf(gap))) return;
    told.add(nameOf(gap));
    const { partition, from, to } = gap;
    if (from === null) {
      log.warn("revoker.began-late", { partition, to });
      return;
    }
    // Of a log that began anew nobody knows how many: whoever watches the growth must see it.
    metrics.eventsPossiblyLost.inc(Math.max(1, Number(BigInt(to) - BigInt(from))));
    log.error("revoker.events-lost", { partition, from, to });
  }
}

function nameOf({ partition, to }: PartitionGap): string {
  return `${partition}:${to}`;
}

export type HandleLost = ReturnType<typeof createHandleLost>;
