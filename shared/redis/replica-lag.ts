import type { RedisConnection } from "./connection.ts";
import { readReplication, settingOf } from "./server-settings.ts";

/** What a server has that was not told otherwise. */
const usualLagSeconds = 10;
/** The server looks at its replicas once a second, and counts in whole seconds. */
const countedBySeconds = 2;

/**
 * How long a primary goes on taking writes, and so renewing leases, after it was cut off from its replicas, one of which
 * is promoted meanwhile. 0 where nobody replicates.
 */
export async function readReplicaLagMs(connection: RedisConnection): Promise<number> {
  const { replicas, wasPromoted } = await readReplication(connection);
  const hidden = () => undefined;
  const toWrite = Number((await settingOf(connection, "min-replicas-to-write").catch(hidden)) ?? 0);
  if (replicas === 0 && !wasPromoted && toWrite === 0) return 0;
  const lagSeconds = await settingOf(connection, "min-replicas-max-lag").catch(hidden);
  return (Number(lagSeconds ?? usualLagSeconds) + countedBySeconds) * 1_000;
}
