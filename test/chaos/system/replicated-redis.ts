import { Redis } from "ioredis";
import { eventually } from "../../support/eventually.ts";
import { createRedisProcess, type RedisProcess } from "../../support/redis-process.ts";
import { addressOf, expectComplete, expectLine, startSentinel } from "../../support/sentinel.ts";
import { startTcpProxy, type TcpAddress, type TcpProxy } from "../../support/tcp-proxy.ts";

/** How long a primary that has lost its replica goes on taking writes. */
export const maxLagSeconds = 4;
const patient = { timeoutMs: 30_000, intervalMs: 50 };

/** A server, and the line over which the other one and the Sentinels know it; clients reach it past that. */
interface Server {
  readonly process: RedisProcess;
  readonly line: TcpProxy;
}

/**
 * A primary, a replica and three Sentinels, as real servers. After each fail-over the old primary comes back as the
 * replica, so that the next one can take them back.
 */
export class ReplicatedRedis {
  #primary: Server;
  #replica: Server;
  /** How far the old primary had come when the other one took its place. */
  #leftAtOffset = 0;

  private constructor(primary: Server, replica: Server) {
    this.#primary = primary;
    this.#replica = replica;
  }

  /** What it opens is closed by `closers`, the last one first. */
  static async start(closers: (() => Promise<unknown>)[]): Promise<ReplicatedRedis> {
    const primary = await createServer(closers);
    const replica = await createServer(closers);
    await startServer(primary);
    await startServer(replica, primary);
    await haveReplica(primary);
    const sentinels: string[] = [];
    for (let at = 0; at < 3; at += 1) sentinels.push(await startSentinel(primary.line.port, closers));
    await eventually(() => expectComplete(sentinels), patient);
    return new ReplicatedRedis(primary, replica);
  }

  get address(): TcpAddress {
    return addressOf(this.#primary.process.url);
  }

  /** Takes the primary away from its replica and from the Sentinels, as a partition does: nothing tells it. */
  cutOff(): void {
    this.#primary.line.stall();
  }

  killPrimary(): Promise<void> {
    return this.#primary.process.stop("SIGKILL");
  }

  /** Resolves once the Sentinels have put the replica in the primary's place: the roles are changed then. */
  async promoted(): Promise<void> {
    await eventually(() => expectLine(this.#replica.process.url, "role:master"), patient);
    [this.#primary, this.#replica] = [this.#replica, this.#primary];
    const old = this.#replica.process.url;
    this.#leftAtOffset = (await isRunning(old)) ? await readOffset(old) : Infinity;
  }

  /** How many bytes the primary has written that its replica was not given. */
  async countUnreplicated(): Promise<number> {
    const [written, given] = await Promise.all(
      [this.#primary, this.#replica].map(({ process }) => readOffset(process.url)),
    );
    return (written ?? 0) - (given ?? 0);
  }

  /** How many bytes the old primary has written since another one took its place. */
  async countWrittenToOld(): Promise<number> {
    return Math.max(0, (await readOffset(this.#replica.process.url)) - this.#leftAtOffset);
  }

  /** The server that was the primary comes back as the replica of the other one, and what it alone had is gone. */
  async rejoin(): Promise<void> {
    const { process, line } = this.#replica;
    line.restore();
    if (await isRunning(process.url)) {
      await withClient(process.url, (redis) => redis.replicaof("127.0.0.1", this.#primary.line.port));
    } else await startServer(this.#replica, this.#primary);
    await eventually(() => expectLine(process.url, "master_link_status:up"), patient);
    await requireReplicas(process, 0);
    await haveReplica(this.#primary);
  }
}

async function createServer(closers: (() => Promise<unknown>)[]): Promise<Server> {
  const process = await createRedisProcess();
  closers.push(() => process.close());
  const line = await startTcpProxy(addressOf(process.url));
  closers.push(() => line.close());
  return { process, line };
}

/** Each is announced under its line, so that whoever is told of it comes over that. */
async function startServer({ process, line }: Server, primary?: Server): Promise<void> {
  const settings = {
    "min-replicas-max-lag": maxLagSeconds,
    "repl-diskless-sync": "yes",
    "repl-diskless-sync-delay": 0,
    "replica-announce-ip": "127.0.0.1",
    "replica-announce-port": line.port,
    "maxmemory-policy": "noeviction",
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  await process.start(...args, ...(primary ? ["--replicaof", "127.0.0.1", String(primary.line.port)] : []));
}

/** From here on it takes writes only while it has its replica. */
async function haveReplica({ process }: Server): Promise<void> {
  await eventually(() => expectLine(process.url, "connected_slaves:1"), patient);
  await eventually(() => expectLine(process.url, "state=online"), patient);
  await requireReplicas(process, 1);
}

async function requireReplicas({ url }: RedisProcess, count: number): Promise<void> {
  await withClient(url, (redis) => redis.config("SET", "min-replicas-to-write", String(count)));
}

async function readOffset(url: string): Promise<number> {
  const info = await withClient(url, (redis) => redis.info("replication"));
  const offset = /master_repl_offset:(\d+)/.exec(info)?.[1];
  return Number(offset ?? 0);
}

async function isRunning(url: string): Promise<boolean> {
  return expectLine(url, "role:").then(
    () => true,
    () => false,
  );
}

async function withClient<T>(url: string, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url);
  try {
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}
