import { longestOfAny } from "../../shared/revocation/longest.ts";

export const stalenessPolicies = ["strict", "best_effort"] as const;

/**
 * What an instance does that cannot prove its blacklist fresh. `strict`: refuses every token once `maxStalenessMs` has
 * passed. `best_effort`: goes on with what it knows for at most an hour after its last sync.
 */
export type StalenessPolicy = (typeof stalenessPolicies)[number];

/** For how long after its last sync tokens are accepted under a policy. */
export function acceptsForMs(policy: StalenessPolicy, maxStalenessMs: number): number {
  return policy === "strict" ? maxStalenessMs : longestOfAny.maxStalenessMs;
}

/** By the pattern of a route, such as `/me`; the instance's own holds for all others. */
export type RoutePolicies = Readonly<Record<string, StalenessPolicy>>;

/** For how long an instance may accept on any of its routes: what it registers. */
export function longestAcceptanceMs(policies: readonly StalenessPolicy[], maxStalenessMs: number): number {
  return Math.max(...policies.map((policy) => acceptsForMs(policy, maxStalenessMs)));
}
