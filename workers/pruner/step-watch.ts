import type { Clock } from "../../shared/ports/platform.ts";
import type { StoreState } from "../../shared/ports/revocation-store.ts";
import { clockErrorAllowedMs } from "../../shared/revocation/addition.ts";

/** One that took longer, since this process stood still perhaps, does not say when the store's clock was read. */
const readingAtMostMs = 2_000;

interface Reading {
  /** Of the store's clock to our monotonic one. */
  readonly offsetMs: number;
  readonly sentAtMs: number;
}

/**
 * Notices that the store's clock stepped against our monotonic one: what it holds may have gone with its time, so it is
 * to be repaired as if it had been wiped. That stays due until it has been done, by whomever: each worker sees the step,
 * and one repair is enough.
 */
export function createStepWatch(clock: Pick<Clock, "monotonicMs">) {
  let last: Reading | undefined;
  /** By our clock, a moment before the step. */
  let steppedAfterMs: number | undefined;

  return {
    /** Takes the state that was asked for at `sentAtMs` and has just been answered. */
    isRepairDue(state: StoreState, sentAtMs: number): boolean {
      const answeredAtMs = clock.monotonicMs();
      if (answeredAtMs - sentAtMs <= readingAtMostMs) {
        const offsetMs = state.storeTimeMs - answeredAtMs;
        const steppedMs = offsetMs - (last?.offsetMs ?? offsetMs);
        if (Math.abs(steppedMs) > clockErrorAllowedMs) steppedAfterMs = last?.sentAtMs;
        last = { offsetMs, sentAtMs };
      }
      if (steppedAfterMs !== undefined && isWholeSince(state, answeredAtMs - steppedAfterMs)) {
        steppedAfterMs = undefined;
      }
      return steppedAfterMs !== undefined;
    },
    repaired(): void {
      steppedAfterMs = undefined;
    },
  };
}

export type StepWatch = ReturnType<typeof createStepWatch>;

/**
 * Whether all was written by a repair that began within the time that has elapsed. One that began before the step seems
 * to have begun earlier by as much as the clock was set ahead, or later than now where it was set back; that shows for as
 * long as the time that has elapsed is less than any step that counts.
 */
function isWholeSince({ incarnation, wholeSinceMs, storeTimeMs }: StoreState, elapsedMs: number): boolean {
  if (incarnation === null || wholeSinceMs === null || elapsedMs >= clockErrorAllowedMs) return false;
  const ageMs = storeTimeMs - wholeSinceMs;
  return ageMs >= 0 && ageMs <= Math.ceil(elapsedMs);
}
