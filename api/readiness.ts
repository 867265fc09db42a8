import { type Check, okCheck, unavailableCheck } from "../shared/check.ts";
import type { Clock } from "../shared/ports/platform.ts";
import type { BlacklistFeed } from "./blacklist/blacklist-feed.ts";
import type { Setup } from "./setup.ts";

export interface ReadinessReport {
  readonly isReady: boolean;
  readonly checks: Readonly<Record<string, Check>>;
}

export type Readiness = () => ReadinessReport;

export interface ReadinessDeps {
  readonly feed: Pick<BlacklistFeed, "freshness">;
  readonly setup: Pick<Setup, "missing">;
  /** Null while it takes requests. */
  readonly drainingSinceMs: () => number | null;
  readonly clock: Pick<Clock, "wallMs">;
}

const partsMissing = {
  store: "redis does not answer",
  incarnation: "the revocation store waits for a worker to prepare it",
  snapshot: "the revocations are being loaded",
  head: "the feed is being caught up with",
  longest: "a worker has yet to note this instance's longest staleness or token lifetime",
} as const;

/** Whether this instance should get traffic, and if not, what is missing and since when. */
export function createReadiness({ feed, setup, drainingSinceMs, clock }: ReadinessDeps): Readiness {
  const startedAtMs = clock.wallMs();

  function replica(): Check {
    const { state, missing, sinceMs } = feed.freshness();
    if (state === "fresh") return okCheck;
    const why = missing === null ? "no sync was caught up with in time" : partsMissing[missing];
    return unavailableCheck(`${state}: ${why}`, sinceMs);
  }

  return () => {
    const missing = setup.missing();
    const drainedSinceMs = drainingSinceMs();
    const checks = {
      replica: replica(),
      setup:
        missing.length === 0
          ? okCheck
          : unavailableCheck(`waiting for ${missing.join(" and ")}`, startedAtMs),
      process: drainedSinceMs === null ? okCheck : unavailableCheck("shutting down", drainedSinceMs),
    };
    return { isReady: Object.values(checks).every(({ status }) => status === "ok"), checks };
  };
}
