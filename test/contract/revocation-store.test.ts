import { Redis } from "ioredis";
import { createInProcessStoreServer } from "../../shared/in-process/revocation-store.ts";
import { silentLog } from "../../shared/log.ts";
import { createPlatform } from "../../shared/platform.ts";
import { type RevocationStore, repairLockMs } from "../../shared/ports/revocation-store.ts";
import { connectRedisStore } from "../../shared/redis/revocation-store.ts";
import { createManualPlatform } from "../support/manual-clock.ts";
import { describeWithServices, freshNamespace } from "../support/services.ts";
import { revocationStoreContract, type StoreFixture } from "./revocation-store.contract.ts";

revocationStoreContract("in-process", () => {
  const platform = createManualPlatform();
  const server = createInProcessStoreServer(platform);
  return Promise.resolve({
    connect: () => Promise.resolve(server.connect()),
    wipe: () => Promise.resolve(server.wipe()),
    damage: (bucket) => Promise.resolve(server.damage(bucket)),
    loseInstance: (id) => Promise.resolve(server.loseInstance(id)),
    outliveRepairLock: () => platform.advance(repairLockMs),
    close: () => Promise.resolve(),
  });
});

describeWithServices("with a Redis server", ["redis"], ({ redisUrl }) => {
  revocationStoreContract("Redis", () => Promise.resolve(openOnRedis(redisUrl, freshNamespace())));
});

function openOnRedis(url: string, namespace: string): StoreFixture {
  const opened: RevocationStore[] = [];
  const change = async (how: (redis: Redis) => Promise<unknown>) => {
    const redis = new Redis(url);
    await how(redis).finally(() => redis.disconnect());
  };
  const wipe = () => removeKeys(url, `{${namespace}}:`);
  return {
    async connect() {
      const store = await connectRedisStore({ url, namespace, log: silentLog, ...createPlatform() });
      opened.push(store);
      return store;
    },
    wipe,
    damage: (bucket) => change((redis) => redis.append(`{${namespace}}:${bucket}`, "broken")),
    loseInstance: (id) => change((redis) => redis.hdel(`{${namespace}}:instances`, id)),
    outliveRepairLock: () =>
      change((redis) => redis.hincrby(`{${namespace}}:state`, "lock_at", -repairLockMs)),
    async close() {
      await Promise.all(opened.map((store) => store.close()));
      await wipe();
    },
  };
}

async function removeKeys(url: string, prefix: string): Promise<void> {
  const redis = new Redis(url);
  try {
    let cursor = "0";
    do {
      const [next, keys] = await redis.scan(cursor, "MATCH", `${prefix}*`, "COUNT", 1000);
      if (keys.length > 0) await redis.unlink(...keys);
      cursor = next;
    } while (cursor !== "0");
  } finally {
    redis.disconnect();
  }
}
