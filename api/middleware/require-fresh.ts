import { AppError } from "../../shared/errors.ts";
import type { BlacklistFeed } from "../blacklist/blacklist-feed.ts";
import type { StalenessPolicy } from "../blacklist/staleness-policy.ts";
import type { Middleware } from "../request-state.ts";

/**
 * An instance that cannot prove that its view is fresh accepts nothing. Stands before the token is looked at, on
 * each request: a process that was suspended refuses before it can accept.
 */
export function createRequireFresh(
  feed: Pick<BlacklistFeed, "isAccepting" | "freshness">,
  policy?: StalenessPolicy,
): Middleware {
  return async function requireFresh(_ctx, next) {
    if (!feed.isAccepting(policy)) throw refusal(feed);
    await next();
  };
}

function refusal(feed: Pick<BlacklistFeed, "freshness">): AppError {
  const { state, isClosed } = feed.freshness();
  if (isClosed) return new AppError("shutting-down", "This instance is shutting down; ask another one.");
  if (state === "cold") {
    return new AppError(
      "replica-cold",
      "This instance has not loaded the revocations yet; try again shortly.",
    );
  }
  return new AppError(
    "replica-stale",
    "This instance may have missed revocations; try again, or ask another one.",
  );
}
