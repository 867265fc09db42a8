import { createBlacklist } from "../../../api/blacklist/blacklist.ts";
import { loadSnapshot } from "../../../api/blacklist/load-snapshot.ts";
import { createPlatform } from "../../../shared/platform.ts";
import { createFingerprinter } from "../../../shared/revocation/fingerprint.ts";
import type { Repetition } from "../contest.ts";
import { issuer } from "./revocations.ts";
import { openRedis, openStore, type StorePlace } from "./store.ts";

export interface ColdStartParams extends StorePlace {
  /** Of the time until all is loaded, or of the longest time in which no request would have been served. */
  readonly of: "load" | "stall";
}

/** Of one load: how long it takes, and the longest time for which the event loop stood still. */
async function watching(of: ColdStartParams["of"], load: () => Promise<number>): Promise<Repetition> {
  let longestMs = 0;
  let isDone = false;
  let lastAt = performance.now();
  const tick = () => {
    const nowAt = performance.now();
    longestMs = Math.max(longestMs, nowAt - lastAt);
    lastAt = nowAt;
    if (!isDone) setImmediate(tick);
  };
  setImmediate(tick);
  const startedAt = performance.now();
  const loaded = await load();
  const tookMs = performance.now() - startedAt;
  isDone = true;
  return { value: of === "load" ? tookMs : longestMs, answers: String(loaded) };
}

export const sides = {
  async quash(params: ColdStartParams) {
    const platform = createPlatform();
    const fingerprint = createFingerprinter(issuer);
    const store = await openStore(params);
    return () =>
      watching(params.of, async () => {
        const blacklist = createBlacklist({ ...platform, fingerprint, ownIssuer: issuer });
        await loadSnapshot({ store, blacklist, inTime: (answer) => answer });
        return blacklist.entries;
      });
  },

  /** One key for each token: all names, and for each the time of its expiry. */
  async scan({ of, redisUrl, namespace }: ColdStartParams) {
    const redis = openRedis(redisUrl);
    const prefix = `${namespace}:revoked:`;
    return () =>
      watching(of, async () => {
        const revoked = new Map<string, number>();
        let cursor = "0";
        do {
          const [next, keys] = await redis.scan(cursor, "MATCH", `${prefix}*`, "COUNT", 1_000);
          cursor = next;
          if (keys.length === 0) continue;
          const pipeline = redis.pipeline();
          for (const key of keys) pipeline.expiretime(key);
          const replies = (await pipeline.exec()) ?? [];
          for (const [at, key] of keys.entries())
            revoked.set(key.slice(prefix.length), Number(replies[at]?.[1] ?? 0));
        } while (cursor !== "0");
        return revoked.size;
      });
  },
};
