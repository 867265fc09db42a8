/** What is promised, in numbers. Not taken from the product: it is what the product is held to. */

/** How long after `applied_at` a token may still be accepted, where a primary without replicas renews leases for `lagMs`. */
export function promisedBoundMs(maxStalenessMs: number, lagMs: number): number {
  return maxStalenessMs + Math.max(1_000, 0.2 * maxStalenessMs) + lagMs;
}

/** From the acceptance of an own event up to its being applied, when what it needs is there. */
export const promptMs = 5_000;

/** How long past its end a token is still taken, by the clock of whoever is asked. */
export const clockToleranceMs = 5_000;
