import { AppError } from "../../shared/errors.ts";
import type { BlacklistFeed } from "../blacklist/blacklist-feed.ts";
import type { RoutePolicies, StalenessPolicy } from "../blacklist/staleness-policy.ts";
import { type Check, routeOf } from "../request-state.ts";

/**
 * An instance that cannot prove that its view is fresh accepts nothing. Stands before the token is looked at, on
 * each request: a process that was suspended refuses before it can accept.
 */
export function createRequireFresh(feed: FreshFeed, routePolicies: RoutePolicies = {}): Check {
  return function requireFresh(ctx) {
    ctx.state.stalenessPolicy = routePolicies[routeOf(ctx) ?? ""];
    refuseUnlessFresh(feed, ctx.state.stalenessPolicy);
  };
}

export type FreshFeed = Pick<BlacklistFeed, "isAccepting" | "freshness">;

export function refuseUnlessFresh(feed: FreshFeed, policy?: StalenessPolicy): void {
  if (feed.isAccepting(policy)) return;
  const { state, isClosed } = feed.freshness();
  if (isClosed) throw new AppError("shutting-down", "This instance is shutting down; ask another one.");
  if (state === "cold") {
    throw new AppError(
      "replica-cold",
      "This instance has not loaded the revocations yet; try again shortly.",
    );
  }
  throw new AppError(
    "replica-stale",
    "This instance may have missed revocations; try again, or ask another one.",
  );
}
