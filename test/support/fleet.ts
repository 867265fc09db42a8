import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "../services/free-ports.ts";
import { eventually } from "./eventually.ts";

/** Real processes of the real system, started as an operator would. */
export interface FleetOptions {
  readonly mongoUrl: string;
  readonly redisUrl: string;
  readonly kafkaBrokers: string;
  readonly namespace: string;
  /** More settings for every process. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface ApiProcess {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly child: ChildProcess;
}

export interface WorkerProcess {
  readonly healthUrl: string;
  readonly child: ChildProcess;
}

export interface Fleet {
  /** Resolves when `/readyz` answers 200. */
  startApi(place?: {
    host?: string;
    port?: number;
    /** Of this process only. */
    settings?: Readonly<Record<string, string>>;
  }): Promise<ApiProcess>;
  /** Resolves when `/readyz` answers 200. */
  startWorker(): Promise<WorkerProcess>;
  /** Ends every process that is still running, and waits for it. */
  close(): Promise<void>;
  /** What the processes wrote, the latest last: for the report of a failure. */
  output(): string;
  /** The JWK Set with which every process signs. */
  readonly keysFile: string;
}

export const administrator = { email: "admin@example.com", password: "correct horse battery" };

export async function createFleet(options: FleetOptions): Promise<Fleet> {
  const folder = await mkdtemp(join(tmpdir(), "quash-fleet-"));
  const keysFile = join(folder, "signing-keys.json");
  await writeFile(keysFile, await generateKeys(), { mode: 0o600 });
  const children = new Set<ChildProcess>();
  const lines: string[] = [];

  function start(entry: string, settings: Record<string, string>): ChildProcess {
    const child = spawn(process.execPath, ["--import", "tsx", entry], {
      env: {
        PATH: process.env["PATH"],
        MONGO_URL: options.mongoUrl,
        REDIS_URL: options.redisUrl,
        KAFKA_BROKERS: options.kafkaBrokers,
        NAMESPACE: options.namespace,
        SIGNING_KEYS_FILE: keysFile,
        ADMIN_EMAIL: administrator.email,
        ADMIN_PASSWORD: administrator.password,
        HOLD_ABOVE_USERS_PER_MINUTE: "0",
        ...options.settings,
        ...settings,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    children.add(child);
    child.once("exit", () => children.delete(child));
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        lines.push(...chunk.toString().split("\n").filter(Boolean));
        if (lines.length > 500) lines.splice(0, lines.length - 500);
      });
    }
    return child;
  }

  const outputTail = () => lines.slice(-60).join("\n");

  return {
    async startApi({ host = "127.0.0.1", port, settings = {} } = {}) {
      const chosen = port ?? (await freePort());
      const child = start("api/main.ts", { HOST: host, PORT: String(chosen), ...settings });
      const url = `http://${host}:${chosen}`;
      await untilReady(url, child, outputTail);
      return { url, host, port: chosen, child };
    },
    async startWorker() {
      const port = await freePort();
      const child = start("workers/main.ts", { HEALTH_PORT: String(port) });
      const healthUrl = `http://127.0.0.1:${port}`;
      await untilReady(healthUrl, child, outputTail);
      return { healthUrl, child };
    },
    async close() {
      await Promise.all([...children].map(stop));
      await rm(folder, { recursive: true, force: true });
    },
    output: outputTail,
    keysFile,
  };
}

async function untilReady(url: string, child: ChildProcess, output: () => string): Promise<void> {
  await eventually(
    async () => {
      const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(1_000) });
      const body = await answer.text();
      if (answer.status !== 200) throw new Error(`${url}/readyz answers ${answer.status} ${body}`);
    },
    { timeoutMs: 60_000, intervalMs: 50 },
  ).catch((cause: unknown) => {
    throw new Error(`not ready (exit code ${child.exitCode}):\n${output()}`, { cause });
  });
}

/** SIGTERM, and SIGKILL for what has not gone after a while. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  const kill = setTimeout(() => child.kill("SIGKILL"), 15_000);
  await gone;
  clearTimeout(kill);
}

async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  if (port === undefined) throw new Error("no port is free");
  return port;
}

export async function generateKeys(): Promise<string> {
  const child = spawn(process.execPath, ["--import", "tsx", "api/keys/main.ts", "generate"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`keys generate ended with ${String(code)}`);
  return Buffer.concat(chunks).toString();
}
