import type { Metrics } from "../shared/metrics.ts";
import type { Clock } from "../shared/ports/platform.ts";

/** How long the worker had no place in its group, each time that it has one again. */
export function createMeasureRebalances(
  clock: Pick<Clock, "monotonicMs">,
  metrics: Pick<Metrics, "rebalanceSeconds">,
): (isMember: boolean) => void {
  let lostAtMs: number | undefined;

  return (isMember) => {
    if (!isMember) {
      lostAtMs ??= clock.monotonicMs();
      return;
    }
    if (lostAtMs !== undefined) metrics.rebalanceSeconds.observe((clock.monotonicMs() - lostAtMs) / 1_000);
    lostAtMs = undefined;
  };
}
