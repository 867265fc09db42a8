import { timeText, type Violation } from "./finding.ts";
import type { FaultSpan, History } from "./history.ts";

/** I7: an instance that has had no way to the store for longer than the bound accepts nothing. */
export function checkStale(history: History): readonly Violation[] {
  return history.faults.filter(keepsFromRedis).flatMap((fault) => {
    const mustRefuseFrom = fault.active + history.boundMs;
    return history.probes
      .filter(({ instance }) => fault.target === "redis" || fault.target === `${instance}>redis`)
      .filter(({ status, sent, done }) => status === 200 && sent > mustRefuseFrom && done <= fault.heal)
      .map(({ instance, sent }) => ({
        invariant: "I7" as const,
        detail: `${instance} accepted a token at ${timeText(sent)}, without Redis since ${timeText(fault.active)} (${fault.does})`,
      }));
  });
}

/** A sync is a write, so a store that takes no writes renews no lease. */
function keepsFromRedis({ does, target }: FaultSpan): boolean {
  if (target === "redis")
    return ["kill", "pause", "restart-empty", "restart-aof", "disk-full"].includes(does);
  return target.endsWith(">redis") && (does === "cut" || does === "half-open");
}
