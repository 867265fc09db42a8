import {
  apiNames,
  eventFaults,
  type FaultAction,
  linkFaults,
  redisFaults,
  roleNames,
  serviceNames,
  workerNames,
} from "./fault-kinds.ts";
import { createRandom, type Random } from "./random.ts";

export type ScheduledFault = FaultAction & {
  readonly id: number;
  readonly atMs: number;
  /** How long it lasts; 0 for what is over at once. */
  readonly forMs: number;
};

/** Before the first fault, so that everybody has signed in; after the last one, so that all can converge. */
export const calm = { beforeMs: 3_000, afterMs: 25_000 } as const;
/** Longer than the bound with the default settings: an instance must have stopped accepting before it ends. */
const isolationMs = 10_000;
const betweenFaultsMs = { least: 500, most: 4_000 } as const;
const betweenEventFaultsMs = { least: 5_000, most: 12_000 } as const;

const atOnce = { least: 0, most: 0 };
const lastsMs: Readonly<Record<FaultAction["does"], { readonly least: number; readonly most: number }>> = {
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
  "duplicate-events": atOnce,
  "poisoned-events": atOnce,
};
/** Beyond its session in the group it wakes up as a zombie. */
const sleepOfWorkerMs = { least: 2_000, most: 13_000 };

/**
 * What happens when: one after the other within each lane, the lanes side by side. A lane deals its faults like a
 * pack of cards, so that each comes before any comes again.
 */
export function createSchedule({ seed, seconds }: { seed: number; seconds: number }): ScheduledFault[] {
  const random = createRandom(seed);
  const untilMs = seconds * 1_000 - calm.afterMs;
  const isolation = isolationBy(random);
  const isolatedUntilMs = isolation.atMs + isolation.forMs;
  const isSeen = ({ target, atMs }: ScheduledFault) =>
    atMs > isolatedUntilMs || !isolation.target.startsWith(target);
  const start = (fromMs: number) => ({ random, untilMs, fromMs: fromMs + random.between(0, 2_000) });
  return [
    isolation,
    ...deal(serviceFaults(), start(calm.beforeMs)),
    ...deal(roleFaults(), start(calm.beforeMs)).filter(isSeen),
    ...deal(linkFaultsOf(random), start(isolatedUntilMs)),
    ...deal(eventFaultsOf(), start(calm.beforeMs)),
  ]
    .toSorted((a, b) => a.atMs - b.atMs)
    .map((fault, index) => ({ ...fault, id: index + 1 }));
}

/** In every run, however short, one instance is without Redis for longer than the bound, and up all the while. */
function isolationBy(random: Random): ScheduledFault {
  const does = random.pick(["cut", "half-open"] as const);
  const target = `${random.pick(apiNames)}>redis` as const;
  return { does, target, id: 0, atMs: calm.beforeMs, forMs: isolationMs };
}

function deal(
  pack: readonly FaultAction[],
  { random, untilMs, fromMs }: { readonly random: Random; readonly untilMs: number; readonly fromMs: number },
): ScheduledFault[] {
  const dealt: ScheduledFault[] = [];
  let atMs = fromMs;
  let left: FaultAction[] = [];
  for (;;) {
    if (left.length === 0) left = random.shuffled(pack);
    const action = left.pop();
    if (action === undefined) return dealt;
    const forMs = durationOf(action, random);
    if (atMs + forMs > untilMs) return dealt;
    dealt.push({ ...action, id: 0, atMs, forMs });
    const pause = action.target === "topic" ? betweenEventFaultsMs : betweenFaultsMs;
    atMs += forMs + random.between(pause.least, pause.most);
  }
}

function durationOf({ does, target }: FaultAction, random: Random): number {
  const range = does === "pause" && target.startsWith("worker") ? sleepOfWorkerMs : lastsMs[does];
  return random.between(range.least, range.most);
}

function serviceFaults(): FaultAction[] {
  return [
    ...serviceNames.flatMap((target) => (["kill", "pause"] as const).map((does) => ({ does, target }))),
    ...redisFaults.map((does) => ({ does, target: "redis" as const })),
  ];
}

function roleFaults(): FaultAction[] {
  return roleNames.flatMap((target) => (["kill", "pause"] as const).map((does) => ({ does, target })));
}

/** Each fault of each kind of link, on whichever of its processes. */
function linkFaultsOf(random: Random): FaultAction[] {
  return linkFaults.flatMap((does) =>
    [apiNames, workerNames].flatMap((roles) =>
      serviceNames.map((service) => ({ does, target: `${random.pick(roles)}>${service}` as const })),
    ),
  );
}

function eventFaultsOf(): FaultAction[] {
  return eventFaults.map((does) => ({ does, target: "topic" }));
}
