import type { Clock } from "../../shared/ports/platform.ts";

/** Somebody who goes on writing into a bucket of ours costs one repair in such a time, and no more. */
const bucketEveryMs = 30_000;
/** However many buckets he takes: each repair has every instance load the store again. */
const repairsAtMost = 6;
const withinMs = 60_000;

/**
 * Which damage is worth a repair now. One ends everybody's incarnation, and whoever loads then does not accept while any
 * bucket is damaged: so one that was not repaired lately is repaired at once.
 */
export function createDamageAllowance(clock: Pick<Clock, "monotonicMs">) {
  /** When a bucket was repaired, by its name, for as long as that counts. */
  let repairedAtMs: ReadonlyMap<string, number> = new Map();
  let repairsAtMs: readonly number[] = [];

  return {
    isDue(damaged: readonly string[]): boolean {
      const nowMs = clock.monotonicMs();
      const recent = repairsAtMs.filter((atMs) => nowMs - atMs < withinMs);
      return recent.length < repairsAtMost && damaged.some((name) => !isHeldBack(name, nowMs));
    },
    repaired(damaged: readonly string[]): void {
      const nowMs = clock.monotonicMs();
      const counting = [...repairedAtMs].filter(([name]) => isHeldBack(name, nowMs));
      repairedAtMs = new Map([...counting, ...damaged.map((name) => [name, nowMs] as const)]);
      repairsAtMs = [...repairsAtMs, nowMs].slice(-repairsAtMost);
    },
  };

  function isHeldBack(name: string, nowMs: number): boolean {
    return nowMs - (repairedAtMs.get(name) ?? Number.NEGATIVE_INFINITY) < bucketEveryMs;
  }
}
