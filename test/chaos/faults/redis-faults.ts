import { mkdir, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { Redis } from "ioredis";
import { eventually } from "../../support/eventually.ts";
import type { redisFaults } from "../fault-kinds.ts";
import type { ChaosSystem } from "../system/start-system.ts";

type RedisFaultName = (typeof redisFaults)[number];
type System = Pick<ChaosSystem, "services" | "redisUrl">;

export async function startRedisFault(does: RedisFaultName, system: System): Promise<void> {
  const server = system.services.redis;
  switch (does) {
    case "flushall":
      return withClient(system, async (redis) => void (await redis.flushall()));
    case "restart-aof":
      return server.end("SIGTERM");
    case "restart-empty":
      await server.end("SIGKILL");
      for (const file of await readdir(server.data))
        await rm(path.join(server.data, file), { recursive: true });
      return;
    case "disk-full":
      return startRefusingWrites(system);
  }
}

export async function endRedisFault(does: RedisFaultName, system: System): Promise<void> {
  if (does !== "disk-full") return system.services.redis.start();
  await rm(blockedSnapshot(system), { recursive: true });
  await withClient(system, async (redis) => {
    await redis.config("SET", "save", "");
  });
}

/**
 * What Redis does when a snapshot cannot be written, as on a full disk: MISCONF for every write. Here the snapshot's
 * name is taken by a folder, over which no file can be moved.
 */
async function startRefusingWrites(system: System): Promise<void> {
  await mkdir(path.join(blockedSnapshot(system), "taken"), { recursive: true });
  await withClient(system, async (redis) => {
    await redis.config("SET", "save", "86400 1000000");
    await redis.bgsave();
    await eventually(async () => {
      const status = /rdb_last_bgsave_status:(\w+)/.exec(await redis.info("persistence"))?.[1];
      if (status !== "err") throw new Error(`the snapshot was ${status}`);
    });
  });
}

function blockedSnapshot({ services }: System): string {
  return path.join(services.redis.data, "dump.rdb");
}

async function withClient({ redisUrl }: System, use: (redis: Redis) => Promise<void>): Promise<void> {
  const redis = new Redis(redisUrl);
  try {
    await use(redis);
  } finally {
    redis.disconnect();
  }
}
