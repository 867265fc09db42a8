import { createRandom, type Random } from "../support/random.ts";
import { type Choice, deal, type ScheduledFault } from "./deal.ts";
import {
  apiNames,
  eventFaults,
  linkFaults,
  type RoleName,
  redisFaults,
  replicationFaults,
  roleNames,
  type ServiceName,
  serviceNames,
  workerNames,
} from "./fault-kinds.ts";

export interface ScheduleOptions {
  readonly seed: number;
  readonly seconds: number;
  /** Redis with a replica and Sentinels: it fails over and splits, and nothing else is done to it. */
  readonly sentinel?: boolean;
}

/** Before the first fault, so that everybody has signed in; after the last one, so that all can converge. */
export const calm = { beforeMs: 3_000, afterMs: 25_000 } as const;
/** Longer than the bound with the default settings: an instance must have stopped accepting before it ends. */
const isolationMs = 10_000;
/** In so short a run there is no time for everything: what tells most comes first, and what holds revocations soon again. */
const shortRunSeconds = 120;

/** Long enough that the system is well now and then: who never accepts anybody cannot be found wrong. */
const pausesMs = {
  services: { least: 4_000, most: 12_000 },
  storesInShort: { least: 3_000, most: 5_000 },
  replication: { least: 10_000, most: 15_000 },
  roles: { least: 2_000, most: 6_000 },
  links: { least: 500, most: 4_000 },
  events: { least: 5_000, most: 12_000 },
} as const;

/**
 * What happens when: one after the other within each lane, the lanes side by side. A lane deals its faults like a
 * pack of cards, so that each comes before any comes again.
 */
export function createSchedule({ seed, seconds, sentinel = false }: ScheduleOptions): ScheduledFault[] {
  const random = createRandom(`schedule ${seed}`);
  const untilMs = seconds * 1_000 - calm.afterMs;
  const isShort = seconds <= shortRunSeconds;
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
  const ofServices = () => {
    if (sentinel)
      return [
        // Whoever is without Redis already cannot be shown to be cut off from it by this.
        ...deal({ pack: replicationFaultsOf() }, lane("replication", isolatedUntilMs)),
        ...deal({ pack: processFaults(["kafka", "mongo"]) }, lane("services")),
      ];
    if (!isShort) return deal({ pack: serviceFaults(serviceNames) }, lane("services"));
    const ofKafka = processFaults(["kafka"]);
    return [
      ...deal({ pack: serviceFaults(["redis", "mongo"]), first: mostTelling(random) }, lane("storesInShort")),
      ...deal({ pack: ofKafka, first: ofKafka }, lane("services")),
    ];
  };
  const killedFirst = isShort ? aWorkerAndAnApi(random, isolation) : [];
  return [
    isolation,
    ...ofServices(),
    ...deal({ pack: processFaults(roleNames), first: killedFirst }, lane("roles")).filter(isSeen),
    ...deal({ pack: linkFaultsOf() }, lane("links", isolatedUntilMs)),
    ...deal({ pack: eventFaultsOf() }, lane("events")),
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

function mostTelling(random: Random): Choice[] {
  const mongo = random.pick(["kill", "pause"] as const);
  const wipe = random.pick(["flushall", "restart-empty"] as const);
  return [
    () => ({ does: wipe, target: "redis" }),
    () => ({ does: "disk-full", target: "redis" }),
    () => ({ does: mongo, target: "mongo" }),
  ];
}

/** The isolated instance is to stay up. */
function aWorkerAndAnApi(random: Random, { target: isolated }: ScheduledFault): Choice[] {
  const others = apiNames.filter((name) => !isolated.startsWith(name));
  return [random.pick(workerNames), random.pick(others)].map((target) => () => ({ does: "kill", target }));
}

function processFaults(names: readonly (RoleName | ServiceName)[]): Choice[] {
  return names.flatMap((target) =>
    (["kill", "pause"] as const).map(
      (does): Choice =>
        () => ({ does, target }),
    ),
  );
}

function serviceFaults(names: readonly ServiceName[]): Choice[] {
  return [
    ...processFaults(names),
    ...redisFaults.map(
      (does): Choice =>
        () => ({ does, target: "redis" }),
    ),
  ];
}

function replicationFaultsOf(): Choice[] {
  return replicationFaults.map((does) => () => ({ does, target: "redis" }));
}

/** Each fault of each kind of link, each time on whichever of its processes. */
function linkFaultsOf(): Choice[] {
  return linkFaults.flatMap((does) =>
    [apiNames, workerNames].flatMap((roles) =>
      serviceNames.map(
        (service): Choice =>
          (random) => ({ does, target: `${random.pick(roles)}>${service}` }),
      ),
    ),
  );
}

function eventFaultsOf(): Choice[] {
  return eventFaults.map((does) => () => ({ does, target: "topic" }));
}
