import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { freePorts } from "../services/free-ports.ts";
import { eventually } from "./eventually.ts";
import { createRedisProcess, type RedisProcess } from "./redis-process.ts";
import { startTcpProxy, type TcpAddress } from "./tcp-proxy.ts";

const name = "quash";
const quorum = 2;

/**
 * A primary, a replica and three Sentinels. The replica and the Sentinels reach the primary over one link, which a test
 * can cut; clients reach it past that link.
 */
export interface SentinelGroup {
  readonly primary: RedisProcess;
  readonly replica: RedisProcess;
  /** As a virtual address would: leads to the primary, and to the replica from `follow` on. */
  readonly url: string;
  /** Takes the primary away from its replica and from the Sentinels, as a partition does: nothing tells it. */
  cutOff(): void;
  /** Resolves once the Sentinels have put the replica in the primary's place. */
  promoted(): Promise<void>;
  /** Leads `url` to the replica. */
  follow(): void;
  close(): Promise<void>;
}

/** Once promoted, the replica takes writes without replicas of its own: it has none. */
export async function startSentinelGroup({
  maxLagSeconds,
}: {
  readonly maxLagSeconds: number;
}): Promise<SentinelGroup> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const closeOne of closers.splice(0).toReversed()) await closeOne();
  };
  try {
    const [primary, replica] = [await createRedisProcess(), await createRedisProcess()];
    closers.push(
      () => primary.close(),
      () => replica.close(),
    );
    const lag = ["--min-replicas-max-lag", String(maxLagSeconds)];
    const quick = ["--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0"];
    await primary.start(...lag, ...quick, "--min-replicas-to-write", "1");
    const link = await startTcpProxy(addressOf(primary.url));
    closers.push(() => link.close());
    await replica.start(...lag, "--replicaof", "127.0.0.1", String(link.port));
    await eventually(() => expectLine(primary.url, "connected_slaves:1"));
    await eventually(() => expectLine(replica.url, "master_link_status:up"));
    const sentinels: string[] = [];
    for (let at = 0; at < 3; at += 1) sentinels.push(await startSentinel(link.port, closers));
    await eventually(() => expectComplete(sentinels), { timeoutMs: 15_000 });

    const entry = await startTcpProxy(addressOf(primary.url));
    closers.push(() => entry.close());
    return {
      primary,
      replica,
      url: `redis://127.0.0.1:${entry.port}`,
      cutOff: () => link.stall(),
      async promoted() {
        await eventually(() => expectLine(replica.url, "role:master"), { timeoutMs: 15_000 });
      },
      follow: () => entry.redirect(addressOf(replica.url)),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

export async function startSentinel(
  primaryPort: number,
  closers: (() => Promise<unknown>)[],
): Promise<string> {
  const [port = 0] = await freePorts(1);
  const folder = await mkdtemp(join(tmpdir(), "quash-sentinel-"));
  const file = join(folder, "sentinel.conf");
  const lines = [
    `port ${port}`,
    "bind 127.0.0.1",
    "protected-mode no",
    `dir ${folder}`,
    `sentinel monitor ${name} 127.0.0.1 ${primaryPort} ${quorum}`,
    `sentinel down-after-milliseconds ${name} 500`,
    `sentinel failover-timeout ${name} 5000`,
  ];
  await writeFile(file, `${lines.join("\n")}\n`);
  const child = spawn("redis-server", [file, "--sentinel"], { stdio: "ignore" });
  closers.push(async () => {
    const ended = once(child, "exit");
    if (child.exitCode === null && child.signalCode === null && child.kill("SIGKILL")) await ended;
    await rm(folder, { recursive: true, force: true });
  });
  return `redis://127.0.0.1:${port}`;
}

/** Each of them knows the replica and the two others. */
export async function expectComplete(sentinels: readonly string[]): Promise<void> {
  for (const url of sentinels) await expectLine(url, "slaves=1,sentinels=3", "sentinel");
}

export async function expectLine(url: string, expected: string, section = "replication"): Promise<void> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  redis.on("error", () => undefined);
  try {
    await redis.connect();
    const info = await redis.info(section);
    if (!info.includes(expected)) throw new Error(`no ${expected} in:\n${info}`);
  } finally {
    redis.disconnect();
  }
}

export function addressOf(url: string): TcpAddress {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}
