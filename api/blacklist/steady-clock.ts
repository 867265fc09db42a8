import type { Clock } from "../../shared/ports/platform.ts";

/** Readings of two clocks lie so far apart by themselves. */
const toleranceMs = 2;

/** Milliseconds since an arbitrary start; never steps back, and runs on while the machine is suspended. */
export type SteadyClock = () => number;

/**
 * The monotonic clock stands still in a suspended machine, and the wall clock steps. What the wall clock gains on the
 * monotonic one counts as time in which the machine was suspended, and what it loses is no time that was given back: so
 * a suspension shows also behind a wall clock that was set back, if the clocks were read in between. A wall clock that is
 * set ahead makes this one run ahead, too, which ends leases early and does no harm.
 */
export function createSteadyClock(clock: Clock): SteadyClock {
  let suspendedMs = 0;
  /** The wall clock's lead, the greatest since it was last set back. */
  let leadMs = clock.wallMs() - clock.monotonicMs();

  return () => {
    const monotonicMs = clock.monotonicMs();
    const nowLeadMs = clock.wallMs() - monotonicMs;
    if (nowLeadMs > leadMs) suspendedMs += nowLeadMs - leadMs;
    if (nowLeadMs > leadMs || nowLeadMs < leadMs - toleranceMs) leadMs = nowLeadMs;
    return monotonicMs + suspendedMs;
  };
}
