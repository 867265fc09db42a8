import type { Log } from "../log.ts";
import type { RedisConnection } from "./connection.ts";
import { listIn } from "./replies.ts";

/** Warns of settings of the server under which promises do not hold. A server that hides them is not asked twice. */
export async function checkServer(connection: RedisConnection, log: Log): Promise<void> {
  try {
    const policy = await settingOf(connection, "maxmemory-policy");
    if (policy !== undefined && policy !== "noeviction") {
      log.error("redis.eviction-policy", {
        found: policy,
        advice: "set maxmemory-policy to noeviction: an evicted revocation makes its token valid again",
      });
    }
    const replicas = await replicaCount(connection);
    const needed = Math.ceil(replicas / 2);
    const toWrite = Number((await settingOf(connection, "min-replicas-to-write")) ?? needed);
    if (toWrite < needed) {
      log.warn("redis.min-replicas", {
        found: toWrite,
        replicas,
        advice: `set min-replicas-to-write to at least ${needed}: a primary that was cut off must not renew leases`,
      });
    }
  } catch (error) {
    log.info("redis.settings-not-checked", { err: error });
  }
}

async function settingOf(connection: RedisConnection, name: string): Promise<string | undefined> {
  const [, value] = listIn(await connection.redis.config("GET", name));
  return typeof value === "string" ? value : undefined;
}

async function replicaCount(connection: RedisConnection): Promise<number> {
  const text = await connection.redis.info("replication");
  return Number(/connected_slaves:(\d+)/.exec(text)?.[1] ?? 0);
}
