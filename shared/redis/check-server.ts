import type { Log } from "../log.ts";
import type { RedisConnection } from "./connection.ts";
import { readReplication, settingOf } from "./server-settings.ts";

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
    const { replicas } = await readReplication(connection);
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
