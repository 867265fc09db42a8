import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { silentLog } from "../../../shared/log.ts";
import { createPlatform } from "../../../shared/platform.ts";
import type { RevocationStore } from "../../../shared/ports/revocation-store.ts";
import { connectRedisStore } from "../../../shared/redis/revocation-store.ts";

export interface StorePlace {
  readonly redisUrl: string;
  readonly namespace: string;
}

/** The product's own store. */
export async function openStore({ redisUrl: url, namespace }: StorePlace): Promise<RevocationStore> {
  const store = await connectRedisStore({ ...createPlatform(), url, namespace, log: silentLog });
  if ((await store.readState()).incarnation === null) await makeValid(store);
  return store;
}

/** As a worker's repair would. */
export async function makeValid(store: RevocationStore, maxStalenessMs = 5_000): Promise<void> {
  const lock = randomUUID();
  await store.beginRepair(lock);
  const longest = { tokenLifetimeSeconds: 3_600, maxStalenessMs, version: 1 };
  await store.completeRepair(lock, { incarnation: randomUUID(), isFirst: true, wholeSinceMs: null, longest });
}

/** A plain client, as anybody would make one. */
export function openRedis(url: string, options: { enableAutoPipelining?: boolean } = {}): Redis {
  return new Redis(url, options);
}

/** All keys of the namespace, of ours and of the baselines. */
export async function removeNamespace({ redisUrl, namespace }: StorePlace): Promise<void> {
  const redis = openRedis(redisUrl);
  let cursor = "0";
  do {
    const [next, keys] = await redis.scan(cursor, "MATCH", `*${namespace}*`, "COUNT", 5_000);
    if (keys.length > 0) await redis.unlink(...keys);
    cursor = next;
  } while (cursor !== "0");
  redis.disconnect();
}
