import type { Clock } from "../ports/platform.ts";

/**
 * The time by which entries are dropped. It runs on with the monotonic clock and follows the wall clock back at
 * once; forward only by what the wall clock was ahead during one whole longest lifetime, so that a clock that steps
 * ahead for a while drops nothing early. It starts in 1970, so that the wall clock's first reading counts as such a
 * step too: of a process that starts with its clock ahead nothing is dropped before it has outlived every token that
 * was there. Being late keeps entries longer, which does no harm.
 */
export interface PruningClock {
  nowMs(): number;
}

interface Window {
  readonly openedAtMs: number;
  /** How far the wall clock has been ahead, at the least, since the window was opened. */
  readonly leastAheadMs: number;
}

export function createPruningClock(clock: Clock, longestLifetimeMs: () => number): PruningClock {
  const startedAtMs = clock.monotonicMs();
  let offsetMs = -startedAtMs;
  let window: Window | undefined = { openedAtMs: startedAtMs, leastAheadMs: clock.wallMs() };

  return {
    nowMs() {
      const monotonicMs = clock.monotonicMs();
      const aheadMs = clock.wallMs() - monotonicMs - offsetMs;
      if (aheadMs <= 0) {
        offsetMs += aheadMs;
        window = undefined;
        return monotonicMs + offsetMs;
      }
      const { openedAtMs, leastAheadMs } = window ?? { openedAtMs: monotonicMs, leastAheadMs: aheadMs };
      window = { openedAtMs, leastAheadMs: Math.min(leastAheadMs, aheadMs) };
      if (monotonicMs - openedAtMs >= longestLifetimeMs()) {
        offsetMs += window.leastAheadMs;
        window = undefined;
      }
      return monotonicMs + offsetMs;
    },
  };
}
