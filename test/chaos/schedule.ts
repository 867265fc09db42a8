import { createRandom, type Random } from "../support/random.ts";
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

interface Range {
  readonly least: number;
  readonly most: number;
}

/** Long enough that the system is well now and then: who never accepts anybody cannot be found wrong. */
const pausesMs = {
  services: { least: 4_000, most: 12_000 },
  roles: { least: 2_000, most: 6_000 },
  links: { least: 500, most: 4_000 },
  events: { least: 5_000, most: 12_000 },
} as const;

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
  const random = createRandom(`schedule ${seed}`);
  const untilMs = seconds * 1_000 - calm.afterMs;
  const isolation = isolationBy(random);
  const isolatedUntilMs = isolation.atMs + isolation.forMs;
  const isSeen = ({ target, atMs }: ScheduledFault) =>
    atMs > isolatedUntilMs || !isolation.target.startsWith(target);
  const lane = (name: keyof typeof pausesMs, fromMs: number = calm.beforeMs) => ({
    random,
    untilMs,
    fromMs: fromMs + random.integer(0, 2_000),
    pauseMs: pausesMs[name],
  });
  return [
    isolation,
    ...deal(serviceFaults(), lane("services")),
    ...deal(roleFaults(), lane("roles")).filter(isSeen),
    ...deal(linkFaultsOf(random), lane("links", isolatedUntilMs)),
    ...deal(eventFaultsOf(), lane("events")),
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

interface Lane {
  readonly random: Random;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly pauseMs: Range;
}

function deal(pack: readonly FaultAction[], { random, fromMs, untilMs, pauseMs }: Lane): ScheduledFault[] {
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
    atMs += forMs + random.integer(pauseMs.least, pauseMs.most);
  }
}

function durationOf({ does, target }: FaultAction, random: Random): number {
  const range = does === "pause" && target.startsWith("worker") ? sleepOfWorkerMs : lastsMs[does];
  return random.integer(range.least, range.most);
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
