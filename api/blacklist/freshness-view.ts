/**
 * What an instance lacks for being fresh. `store`: it does not answer. `incarnation`: it is being repaired, or no
 * worker has prepared it yet. `snapshot`: it is being loaded. `head`: the feed is being caught up with. `longest`: the
 * fence does not cover its longest staleness or token lifetime yet.
 */
export type MissingPart = "store" | "incarnation" | "snapshot" | "head" | "longest";

export interface FreshnessView {
  /** `cold` until it was fresh for the first time: nothing is accepted then, whatever the policy. */
  readonly state: "cold" | "fresh" | "stale";
  /** When it came into this state, by the wall clock. */
  readonly sinceMs: number;
  /** Since when its view may be incomplete; null while cold. */
  readonly stalenessMs: number | null;
  /** Null while nothing is. It may be set while still fresh. */
  readonly missing: MissingPart | null;
  readonly isClosed: boolean;
}
