import type { RedisConnection } from "./connection.ts";
import { bytesIn, listIn } from "./replies.ts";

/** Undefined where the server does not know it. Rejects where the server hides its settings. */
export async function settingOf(connection: RedisConnection, name: string): Promise<string | undefined> {
  const [, value] = listIn(await connection.call("CONFIG", "GET", name));
  return value === undefined ? undefined : bytesIn(value).toString();
}

export async function readReplication(connection: RedisConnection) {
  const text = bytesIn(await connection.call("INFO", "replication")).toString();
  return {
    replicas: Number(/connected_slaves:(\d+)/.exec(text)?.[1] ?? 0),
    /** A replica once, in the place of a primary that may not know yet. */
    wasPromoted: /master_replid2:(?!0+\s)/.test(text),
  };
}
