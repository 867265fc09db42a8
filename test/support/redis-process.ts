import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { freePorts } from "../services/free-ports.ts";
import { eventually } from "./eventually.ts";

/** A Redis server of a test's own, to be stopped, suspended and started again with what it had written. */
export interface RedisProcess {
  readonly url: string;
  start(...settings: readonly string[]): Promise<void>;
  /** SIGTERM, or what is given; returns once the process has ended. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Ends it and removes its files. */
  close(): Promise<void>;
}

export async function createRedisProcess(): Promise<RedisProcess> {
  const [port = 0] = await freePorts(1);
  const directory = await mkdtemp(join(tmpdir(), "quash-redis-"));
  const url = `redis://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;

  async function stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = once(running, "exit");
    running.kill(signal);
    await ended;
  }

  return {
    url,
    async start(...settings) {
      const own = ["--port", String(port), "--bind", "127.0.0.1", "--dir", directory, "--save", ""];
      const durable = ["--appendonly", "yes", "--appendfsync", "always"];
      child = spawn("redis-server", [...own, ...durable, ...settings], { stdio: "ignore" });
      await eventually(() => answersPing(url));
    },
    stop,
    signal: (signal) => void child?.kill(signal),
    async close() {
      await stop("SIGKILL");
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function answersPing(url: string): Promise<void> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  redis.on("error", () => undefined);
  try {
    await redis.connect();
    await redis.ping();
  } finally {
    redis.disconnect();
  }
}
