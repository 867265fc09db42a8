import type { Redis } from "ioredis";
import type { Repetition } from "../contest.ts";
import { createQueries, fillSet } from "./revocations.ts";
import { openRedis, type StorePlace } from "./store.ts";

export interface ExistsParams extends StorePlace {
  readonly entries: number;
  readonly hitPercent: number;
  readonly count: number;
  /** How many requests ask at once. */
  readonly atOnce: number;
}

const keysAtOnce = 5_000;

/** A key for each revoked token, and one question for each request. */
async function prepare(params: ExistsParams): Promise<() => Promise<Repetition>> {
  const { redisUrl, namespace, entries, atOnce, count } = params;
  const redis = openRedis(redisUrl, { enableAutoPipelining: atOnce > 1 });
  const keyOf = (jti: string) => `${namespace}:revoked:${jti}`;
  await setAll(redis, [...fillSet(entries)].map(keyOf));
  let turn = 0;
  return async () => {
    const keys = createQueries({ ...params, turn }).map(({ jti }) => keyOf(jti));
    turn += 1;
    let revoked = 0;
    let next = 0;
    const ask = async () => {
      while (next < keys.length) {
        const found = await redis.exists(keys[next++] ?? "");
        revoked += found;
      }
    };
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: atOnce }, ask));
    const tookMs = performance.now() - startedAt;
    return { value: (tookMs * 1e6) / count, answers: String(revoked) };
  };
}

async function setAll(redis: Redis, keys: readonly string[]): Promise<void> {
  for (let from = 0; from < keys.length; from += keysAtOnce) {
    const pipeline = redis.pipeline();
    for (const key of keys.slice(from, from + keysAtOnce)) pipeline.set(key, "1", "EX", 3_600);
    await pipeline.exec();
  }
}

export const sides = { exists: prepare };
