import type { Random } from "../support/random.ts";
import { createRandom } from "../support/random.ts";
import { type Conditions, drawConditions } from "./conditions.ts";

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
  "link-to-log",
  "trim",
  "slow-start",
  "retention",
  "announcements",
  "wipe",
  "lose-instance",
  "restart-store",
  "fail-over",
  "split",
  "interrupted-event",
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
  readonly what: ClientAction | FaultKind | "outlast-by-sign-in" | "outlast-by-session";
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

/** What other parts of the log's promise rest on alone: with nothing else wrong, all of it must be kept. */
const logFaults: readonly FaultKind[] = ["log-away", "link-to-log", "retention"];

export function createPlan(seed: number): Plan {
  const random = createRandom(`plan ${seed}`);
  const conditions = drawConditions(random);
  const { activeMs, lull } = conditions;
  const items: PlanItem[] = [];
  const add = (atMs: number, what: PlanItem["what"]) =>
    items.push({ atMs: Math.round(atMs), what, draw: `${seed}:${items.length}` });

  const rate = 1 + random.fraction() * 2;
  const isLull = (atMs: number) => lull !== null && atMs >= lull.fromMs && atMs < lull.toMs;
  const after = (atMs: number, delayMs: number) =>
    lull !== null && isLull(atMs) ? Math.min(lull.toMs, atMs + delayMs) : atMs + delayMs;
  const actionEveryMs = (atMs: number) => (isLull(atMs) ? 50_000 : 2_000 / rate);
  const probeEveryMs = (atMs: number) => (isLull(atMs) ? 20_000 : 400);
  for (let at = 2_500; at < activeMs; at = after(at, random.fraction() * actionEveryMs(at)))
    add(at, drawAction(random));
  for (let at = 3_500; at < activeMs; at = after(at, 40 + random.fraction() * probeEveryMs(at)))
    add(at, "probe");
  const kinds = drawKinds(random);
  const addFaults = (count: number, { fromMs, toMs }: { fromMs: number; toMs: number }) => {
    for (let left = count; left > 0; left -= 1)
      add(fromMs + random.fraction() * (toMs - fromMs), drawKind(kinds, random));
  };
  addFaults(countFaults(random), { fromMs: 3_000, toMs: (lull?.fromMs ?? activeMs) - 1_000 });
  if (lull !== null) {
    addFaults(random.integer(0, 8), lull);
    addFaults(countFaults(random), { fromMs: lull.toMs, toMs: activeMs - 1_000 });
    if (lull.outlastedBy !== null) add(lull.fromMs + 1_000, `outlast-by-${lull.outlastedBy}`);
  }
  return { seed, conditions, items: items.toSorted((a, b) => a.atMs - b.atMs) };
}

/** The items of a plan by their numbers, which do not change when others are left out. */
export function keepItems(plan: Plan, numbers: readonly number[]): Plan {
  return { ...plan, items: plan.items.filter((item) => numbers.includes(numberOf(item))) };
}

export function numberOf({ draw }: PlanItem): number {
  return Number(draw.slice(draw.indexOf(":") + 1));
}

/** Some runs are calm, so that what needs no fault to go wrong shows as well. */
function countFaults(random: Random): number {
  return random.chance(0.1) ? 0 : random.integer(1, 12);
}

/** A few kinds many times find what many kinds once do not (swarm testing: Groce et al., 2012). */
function drawKinds(random: Random): readonly FaultKind[] {
  if (random.chance(0.06)) return logFaults;
  return faultKinds.filter(() => random.chance(0.4));
}

function drawKind(kinds: readonly FaultKind[], random: Random): FaultKind {
  const isOther = kinds.length === 0 || (kinds !== logFaults && random.chance(0.25));
  return isOther ? "link" : random.pick(kinds);
}

function drawAction(random: Random): ClientAction {
  let left = random.fraction() * weights.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [action, weight] of weights) {
    left -= weight;
    if (left < 0) return action;
  }
  return "sign-in";
}
