export const stalenessPolicies = ["strict", "best_effort"] as const;

/**
 * What an instance does that cannot prove its blacklist fresh. `strict`: refuses every token once `maxStalenessMs` has
 * passed. `best_effort`: goes on with what it knows for at most an hour after its last sync.
 */
export type StalenessPolicy = (typeof stalenessPolicies)[number];

const bestEffortMs = 60 * 60_000;

/** For how long after its last sync an instance accepts: what it registers, for whoever waits for it to fall silent. */
export function acceptsForMs(policy: StalenessPolicy, maxStalenessMs: number): number {
  return policy === "strict" ? maxStalenessMs : bestEffortMs;
}
