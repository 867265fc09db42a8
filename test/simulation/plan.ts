import type { Random } from "../support/random.ts";
import { createRandom } from "../support/random.ts";

/** The fixed conditions of one run. */
export interface Conditions {
  readonly apis: number;
  readonly workers: number;
  readonly users: number;
  readonly syncIntervalMs: number;
  readonly maxStalenessMs: number;
  readonly tokenLifetimeSeconds: number;
  /** Index of the one instance that accepts for an hour without a sync; null in most runs. */
  readonly bestEffort: number | null;
  /** How far clocks lie from the true time at most, and how wrong their rates are at most. */
  readonly clockErrorMs: number;
  readonly rateError: number;
  /** How long a primary that was cut off goes on taking writes. */
  readonly lagMs: number;
  /** How many announcements are lost all the time. */
  readonly lostAnnouncements: number;
  /** Faults and calls end here; then all is healed. */
  readonly activeMs: number;
  /** In the end the whole log is published once more. */
  readonly replaysLog: boolean;
  /** In the end everything has time to expire and to be pruned. */
  readonly withPruning: boolean;
}

export const clientActions = [
  "sign-in",
  "refresh",
  "log-out",
  "deactivate",
  "deactivate-and-wait",
  "reactivate",
  "sign-out",
  "delete",
  "revoke-token",
  "publish",
  "publish-again",
  "publish-poison",
  "probe",
] as const;
export type ClientAction = (typeof clientActions)[number];

export const faultKinds = [
  "kill",
  "kill-at-call",
  "pause",
  "suspend",
  "link",
  "trim",
  "slow-start",
  "retention",
  "announcements",
  "wipe",
  "lose-instance",
  "restart-store",
  "fail-over",
  "split",
  "store-away",
  "database-away",
  "log-away",
  "step-clock",
  "step-store-clock",
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** One thing that is done. `draw` decides its details, so that leaving out others does not change them. */
export interface PlanItem {
  readonly atMs: number;
  readonly what: ClientAction | FaultKind;
  readonly draw: string;
}

export interface Plan {
  readonly seed: number;
  readonly conditions: Conditions;
  readonly items: readonly PlanItem[];
}

const weights: readonly (readonly [ClientAction, number])[] = [
  ["sign-in", 22],
  ["refresh", 5],
  ["log-out", 4],
  ["deactivate", 7],
  ["deactivate-and-wait", 3],
  ["reactivate", 7],
  ["sign-out", 4],
  ["delete", 1],
  ["revoke-token", 3],
  ["publish", 10],
  ["publish-again", 4],
  ["publish-poison", 2],
];

export function createPlan(seed: number): Plan {
  const random = createRandom(`plan ${seed}`);
  const conditions = drawConditions(random);
  const { activeMs } = conditions;
  const items: PlanItem[] = [];
  const add = (atMs: number, what: PlanItem["what"]) =>
    items.push({ atMs: Math.round(atMs), what, draw: `${seed}:${items.length}` });

  const rate = 1 + random.fraction() * 2;
  for (let at = 2_500; at < activeMs; at += (random.fraction() * 2_000) / rate) add(at, drawAction(random));
  for (let at = 3_500; at < activeMs; at += 40 + random.fraction() * 400) add(at, "probe");
  // Some runs are calm, so that what needs no fault to go wrong shows as well.
  const faults = random.chance(0.1) ? 0 : random.integer(1, 12);
  // A few kinds many times find what many kinds once do not (swarm testing: Groce et al., 2012).
  const kinds = faultKinds.filter(() => random.chance(0.4));
  for (let count = 0; count < faults; count += 1) {
    const kind = kinds.length === 0 || random.chance(0.25) ? "link" : random.pick(kinds);
    add(3_000 + random.fraction() * (activeMs - 4_000), kind);
  }
  return { seed, conditions, items: items.toSorted((a, b) => a.atMs - b.atMs) };
}

function drawConditions(random: Random): Conditions {
  const syncIntervalMs = random.pick([500, 1_000, 1_000, 2_000]);
  const isSkewed = random.chance(0.4);
  return {
    apis: random.integer(2, 3),
    workers: random.integer(1, 2),
    users: random.integer(1, 4),
    syncIntervalMs,
    maxStalenessMs: random.pick([3, 5]) * (syncIntervalMs + 1_000),
    tokenLifetimeSeconds: random.pick([20, 60, 60, 300]),
    bestEffort: random.chance(0.1) ? 0 : null,
    clockErrorMs: isSkewed ? random.pick([200, 2_000]) : 0,
    rateError: isSkewed ? 0.02 : 0,
    lagMs: random.integer(0, 1_000),
    lostAnnouncements: random.pick([0, 0, 0, 0.1, 0.5]),
    activeMs: random.integer(12_000, 30_000),
    replaysLog: random.chance(0.2),
    withPruning: random.chance(0.02),
  };
}

function drawAction(random: Random): ClientAction {
  let left = random.fraction() * weights.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [action, weight] of weights) {
    left -= weight;
    if (left < 0) return action;
  }
  return "sign-in";
}
