import type { Random } from "../support/random.ts";
import type { FaultAction } from "./fault-kinds.ts";

export type ScheduledFault = FaultAction & {
  readonly id: number;
  readonly atMs: number;
  /** How long it lasts; 0 for what is over at once. */
  readonly forMs: number;
};

/** A card: what it does to whom is decided when it is dealt. */
export type Choice = (random: Random) => FaultAction;

interface Range {
  readonly least: number;
  readonly most: number;
}

export interface Lane {
  readonly random: Random;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly pauseMs: Range;
}

const atOnce: Range = { least: 0, most: 0 };
const lastsMs: Readonly<Record<FaultAction["does"], Range>> = {
  kill: { least: 500, most: 4_000 },
  pause: { least: 1_000, most: 9_000 },
  cut: { least: 1_000, most: 9_000 },
  "half-open": { least: 1_000, most: 9_000 },
  delay: { least: 3_000, most: 8_000 },
  reset: atOnce,
  flushall: atOnce,
  "restart-empty": { least: 0, most: 2_000 },
  "restart-aof": { least: 0, most: 2_000 },
  "disk-full": { least: 3_000, most: 8_000 },
  "fail-over": { least: 500, most: 3_000 },
  split: { least: 7_000, most: 10_000 },
  "duplicate-events": atOnce,
  "poisoned-events": atOnce,
};
/** Beyond its session in the group it wakes up as a zombie. */
const sleepOfWorkerMs = { least: 2_000, most: 13_000 };

/** One fault after the other, until the time is over: those that come first, then the pack, shuffled anew each time. */
export function deal(
  { pack, first = [] }: { readonly pack: readonly Choice[]; readonly first?: readonly Choice[] },
  { random, fromMs, untilMs, pauseMs }: Lane,
): ScheduledFault[] {
  const dealt: ScheduledFault[] = [];
  let atMs = fromMs;
  let left = first.toReversed();
  for (;;) {
    if (left.length === 0) left = random.shuffled(pack);
    const action = left.pop()?.(random);
    if (action === undefined) return dealt;
    const forMs = durationOf(action, random);
    if (atMs + forMs > untilMs) return dealt;
    dealt.push({ ...action, id: 0, atMs, forMs });
    atMs += forMs + random.integer(pauseMs.least, pauseMs.most);
  }
}

function durationOf({ does, target }: FaultAction, random: Random): number {
  const range = does === "pause" && target.startsWith("worker") ? sleepOfWorkerMs : lastsMs[does];
  return random.integer(range.least, range.most);
}
