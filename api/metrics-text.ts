import type { Metrics } from "../shared/metrics.ts";
import { millisecondsOf } from "../shared/revocation/position.ts";
import type { Blacklist } from "./blacklist/blacklist.ts";
import type { BlacklistFeed } from "./blacklist/blacklist-feed.ts";
import type { KeyRing } from "./tokens/key-ring.ts";
import type { VerifyOnce } from "./tokens/verify-once.ts";

export interface MetricsTextDeps {
  readonly metrics: Metrics;
  readonly blacklist: Pick<Blacklist, "entries" | "bytes">;
  readonly feed: Pick<BlacklistFeed, "isAccepting" | "position" | "freshness">;
  readonly keys: KeyRing;
  readonly tokens: Pick<VerifyOnce, "entries" | "bytes">;
  readonly ceilingBytes: number;
}

/** What stands in memory is looked up when somebody asks. */
export function createMetricsText({ metrics, blacklist, feed, keys, tokens, ceilingBytes }: MetricsTextDeps) {
  function noteReplica(): void {
    metrics.replicaEntries.set(blacklist.entries);
    metrics.replicaBytes.set(blacklist.bytes);
    metrics.replicaCeilingBytes.set(ceilingBytes);
    metrics.replicaAccepting.set(feed.isAccepting() ? 1 : 0);
    metrics.replicaPosition.set(millisecondsOf(feed.position));
    const { stalenessMs } = feed.freshness();
    metrics.replicaStaleness.set(stalenessMs === null ? Number.NaN : stalenessMs / 1_000);
  }

  function noteTokens(): void {
    metrics.keys.reset();
    for (const key of keys.listed) metrics.keys.set({ kid: key.kid, state: keys.stateOf(key) }, 1);
    metrics.verificationCacheEntries.set(tokens.entries);
    metrics.verificationCacheBytes.set(tokens.bytes);
  }

  return function metricsText(): Promise<string> {
    noteReplica();
    noteTokens();
    return metrics.text();
  };
}
