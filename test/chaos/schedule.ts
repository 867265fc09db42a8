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

/**
 * What happens when: one after the other within each lane, the lanes side by side. A lane deals its faults like a
 * pack of cards, so that each comes before any comes again.
 */
export function createSchedule({ seed, seconds }: { seed: number; seconds: number }): ScheduledFault[] {
  const random = createRandom(seed);
  const untilMs = seconds * 1_000 - calm.afterMs;
  const lanes = [serviceFaults(), roleFaults(), linkFaultsOf(random), eventFaultsOf()];
  const faults = lanes.flatMap((pack, lane) => deal(pack, { random, untilMs, isLinks: lane === 2 }));
  return faults
    .toSorted((a, b) => a.atMs - b.atMs)
    .map((fault, index) => Object.assign(fault, { id: index + 1 }));
}

interface Deal {
  readonly random: Random;
  readonly untilMs: number;
  readonly isLinks: boolean;
}

function deal(pack: readonly FaultAction[], { random, untilMs, isLinks }: Deal): ScheduledFault[] {
  const dealt: ScheduledFault[] = [];
  let atMs = calm.beforeMs + random.between(0, 2_000);
  let left: FaultAction[] = [];
  if (isLinks) {
    // In every run, however short, one instance is without Redis for longer than the bound.
    const does = random.pick(["cut", "half-open"] as const);
    dealt.push({ does, target: `${random.pick(apiNames)}>redis`, id: 0, atMs, forMs: isolationMs });
    atMs += isolationMs + random.between(500, 1_500);
  }
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
  switch (does) {
    case "kill":
      return random.between(500, 4_000);
    case "pause":
      // A worker that sleeps for longer than its session in the group wakes up as a zombie.
      return target.startsWith("worker") ? random.between(2_000, 13_000) : random.between(1_000, 9_000);
    case "cut":
    case "half-open":
      return random.between(1_000, 9_000);
    case "delay":
    case "disk-full":
      return random.between(3_000, 8_000);
    case "restart-empty":
    case "restart-aof":
      return random.between(0, 2_000);
    case "reset":
    case "flushall":
    case "duplicate-events":
    case "poisoned-events":
      return 0;
  }
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
