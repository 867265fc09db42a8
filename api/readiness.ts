import type { BlacklistFeed } from "./blacklist/blacklist-feed.ts";
import type { Setup } from "./setup.ts";

export interface Check {
  readonly status: "ok" | "unavailable";
  /** What is missing; null when nothing is. */
  readonly detail: string | null;
  /** Since when (RFC 3339); null where it is not known. */
  readonly since: string | null;
}

export interface ReadinessReport {
  readonly isReady: boolean;
  readonly checks: Readonly<Record<string, Check>>;
}

export type Readiness = () => ReadinessReport;

export interface ReadinessDeps {
  readonly feed: Pick<BlacklistFeed, "freshness">;
  readonly setup: Pick<Setup, "missing">;
  readonly isDraining: () => boolean;
}

const ok: Check = { status: "ok", detail: null, since: null };

const partsMissing = {
  store: "redis does not answer",
  incarnation: "the revocation store waits for a worker to prepare it",
  snapshot: "the revocations are being loaded",
  head: "the feed is being caught up with",
} as const;

/** Whether this instance should get traffic, and if not, what is missing and since when. */
export function createReadiness({ feed, setup, isDraining }: ReadinessDeps): Readiness {
  function replica(): Check {
    const { state, missing, sinceMs } = feed.freshness();
    if (state === "fresh") return ok;
    const why = missing === null ? "no sync was caught up with in time" : partsMissing[missing];
    return unavailable(`${state}: ${why}`, new Date(sinceMs).toISOString());
  }

  return () => {
    const missing = setup.missing();
    const checks = {
      replica: replica(),
      setup: missing.length === 0 ? ok : unavailable(`waiting for ${missing.join(" and ")}`),
      process: isDraining() ? unavailable("shutting down") : ok,
    };
    return { isReady: Object.values(checks).every(({ status }) => status === "ok"), checks };
  };
}

function unavailable(detail: string, since: string | null = null): Check {
  return { status: "unavailable", detail, since };
}
