import type { Clock } from "../ports/platform.ts";

/**
 * The time by which entries are dropped. It runs on with the monotonic clock and follows the wall clock back at
 * once; forward only by what the wall clock was ahead during one whole longest lifetime, so that a clock that steps
 * ahead for a while drops nothing early. Being late keeps entries longer, which does no harm.
 */
export interface PruningClock {
  nowMs(): number;
}

export function createPruningClock(clock: Clock, longestLifetimeMs: () => number): PruningClock {
  let offsetMs = clock.wallMs() - clock.monotonicMs();
  /** How far the wall clock has been ahead, at the least, since the window was opened. */
  let window: { readonly openedAtMs: number; leastAheadMs: number } | undefined;

  return {
    nowMs() {
      const monotonicMs = clock.monotonicMs();
      const aheadMs = clock.wallMs() - monotonicMs - offsetMs;
      if (aheadMs <= 0) {
        offsetMs += aheadMs;
        window = undefined;
        return monotonicMs + offsetMs;
      }
      window ??= { openedAtMs: monotonicMs, leastAheadMs: aheadMs };
      window.leastAheadMs = Math.min(window.leastAheadMs, aheadMs);
      if (monotonicMs - window.openedAtMs >= longestLifetimeMs()) {
        offsetMs += window.leastAheadMs;
        window = undefined;
      }
      return monotonicMs + offsetMs;
    },
  };
}
