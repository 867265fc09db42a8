import type { Random } from "../support/random.ts";

/** The fixed conditions of one run. */
export interface Conditions {
  readonly apis: number;
  readonly workers: number;
  readonly users: number;
  readonly syncIntervalMs: number;
  readonly maxStalenessMs: number;
  readonly tokenLifetimeSeconds: number;
  readonly refreshLifetimeSeconds: number;
  /** Index of the one instance that accepts for an hour without a sync; null in most runs. */
  readonly bestEffort: number | null;
  /** What a right wall clock shows at the beginning: any time of a day, so any place in a minute and in a generation. */
  readonly startsAtMs: number;
  /** How far clocks lie from the true time at most, and how wrong their rates are at most. */
  readonly clockErrorMs: number;
  readonly rateError: number;
  /** How long a primary that was cut off goes on taking writes. */
  readonly lagMs: number;
  /** How many announcements are lost all the time. */
  readonly lostAnnouncements: number;
  /** Faults and calls end here; then all is healed. */
  readonly activeMs: number;
  /** A long time in which little is asked for, and things expire and are pruned; null in most runs. */
  readonly lull: Lull | null;
  /** In the end the whole log is published once more. */
  readonly replaysLog: boolean;
  /** In the end everything has time to expire and to be pruned. */
  readonly withPruning: boolean;
}

export interface Lull {
  readonly fromMs: number;
  readonly toMs: number;
  /** What outlasts it: sign-ins that are caught in the middle, or a session; null in short ones. */
  readonly outlastedBy: "sign-in" | "session" | null;
}

const dayMs = 86_400_000;
const firstDayMs = Date.UTC(2026, 0, 15);

export function drawConditions(random: Random): Conditions {
  const syncIntervalMs = random.pick([500, 1_000, 1_000, 2_000]);
  const isSkewed = random.chance(0.4);
  const busyMs = random.integer(12_000, 30_000);
  const lull = random.chance(0.04) ? drawLull(random, busyMs) : null;
  return {
    apis: random.integer(2, 3),
    workers: random.integer(1, 2),
    users: random.integer(1, 4),
    syncIntervalMs,
    maxStalenessMs: random.pick([3, 5]) * (syncIntervalMs + 1_000),
    tokenLifetimeSeconds: random.pick(lull === null ? [20, 60, 60, 300] : [20, 60, 300, 900]),
    refreshLifetimeSeconds: random.pick(lull === null ? [600, 2_592_000] : [600, 2_592_000, 2_592_000]),
    bestEffort: random.chance(0.1) ? 0 : null,
    startsAtMs: firstDayMs + random.integer(0, dayMs - 1),
    clockErrorMs: isSkewed ? random.pick([200, 2_000]) : 0,
    // Over a long time it adds up: clocks must not come further apart than instances tolerate.
    rateError: isSkewed ? (lull === null ? 0.02 : 0.000_3) : 0,
    lagMs: random.integer(0, 1_000),
    lostAnnouncements: random.pick([0, 0, 0, 0.1, 0.5]),
    activeMs: busyMs + (lull === null ? 0 : lull.toMs),
    lull,
    replaysLog: random.chance(0.2),
    withPruning: random.chance(0.02),
  };
}

/** Long enough for a cut-off to be gone where something outlasts it; in most of them for a token's entry to be. */
function drawLull(random: Random, busyMs: number): Lull {
  const outlastedBy = random.pick(["sign-in", "session", null] as const);
  const minutes = outlastedBy === null ? random.integer(6, 36) : random.integer(38, 48);
  return { fromMs: busyMs, toMs: busyMs + minutes * 60_000, outlastedBy };
}
