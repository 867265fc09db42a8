import type { Clock } from "../../shared/ports/platform.ts";

/** Readings of two clocks lie so far apart by themselves. */
const toleranceMs = 2;
/** So far the time since the machine's start may be off, which is read in coarse steps. */
const bootToleranceMs = 20;

/** Milliseconds since an arbitrary start; never steps back, and runs on while the machine is suspended. */
export type SteadyClock = () => number;

/**
 * The monotonic clock stands still in a suspended machine, and the wall clock steps. What the wall clock gains on the
 * monotonic one counts as time in which the machine was suspended, and what it loses is no time that was given back. A
 * wall clock that is set ahead makes this one run ahead, too, which ends leases early and does no harm. Where the two
 * come apart in whatever direction, the time since the machine's start is asked, too, which is dear: it shows a
 * suspension that hides behind a wall clock that was set back.
 */
export function createSteadyClock(clock: Clock): SteadyClock {
  let suspendedMs = 0;
  /** The wall clock's lead, the greatest since it was last set back. */
  let leadMs = clock.wallMs() - clock.monotonicMs();
  let bootLeadMs = clock.bootMs() - clock.monotonicMs();

  return () => {
    const monotonicMs = clock.monotonicMs();
    const nowLeadMs = clock.wallMs() - monotonicMs;
    const gainedMs = nowLeadMs - leadMs;
    if (gainedMs > 0) suspendedMs += gainedMs;
    if (Math.abs(gainedMs) > toleranceMs) suspendedMs += hiddenMs(monotonicMs, Math.max(0, gainedMs));
    if (gainedMs > 0 || gainedMs < -toleranceMs) leadMs = nowLeadMs;
    return monotonicMs + suspendedMs;
  };

  /** What the machine was suspended since this was last asked, beyond what is known already. */
  function hiddenMs(monotonicMs: number, knownMs: number): number {
    const nowBootLeadMs = clock.bootMs() - monotonicMs;
    const gainedMs = nowBootLeadMs - bootLeadMs;
    if (gainedMs <= bootToleranceMs) return 0;
    bootLeadMs = nowBootLeadMs;
    return Math.max(0, gainedMs - knownMs);
  }
}
