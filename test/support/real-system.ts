import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateJwks } from "../../api/keys/generate-jwks.ts";
import { freePorts } from "../services/free-ports.ts";
import { type Client, createClient } from "./client.ts";
import { eventually } from "./eventually.ts";
import { administrator } from "./fleet.ts";
import { type NodeProcess, startNode } from "./node-process.ts";

export interface ReadyAnswer {
  readonly status: number;
  readonly checks: Readonly<Record<string, { status: string; detail: string | null; since: string | null }>>;
}

export interface RealProcess extends NodeProcess {
  readonly url: string;
  readonly client: Client;
  readyz(): Promise<ReadyAnswer>;
  untilReady(): Promise<void>;
}

export interface RealSystem {
  /** Resolves once it answers, ready or not. */
  startApi(settings?: Readonly<Record<string, string>>): Promise<RealProcess>;
  /** Resolves once it answers, ready or not. */
  startWorker(settings?: Readonly<Record<string, string>>): Promise<RealProcess>;
  /** Ends every process that is still running, and waits for it. */
  close(): Promise<void>;
}

/** Processes that a test ends, suspends and starts while what they need is away; each may get settings of its own. */
export async function createRealSystem(common: Readonly<Record<string, string>>): Promise<RealSystem> {
  const folder = mkdtempSync(join(tmpdir(), "quash-system-"));
  const keysFile = join(folder, "keys.json");
  writeFileSync(keysFile, await generateJwks("ES256"), { mode: 0o600 });
  const processes: RealProcess[] = [];

  async function start(entry: string, settings: Readonly<Record<string, string>>): Promise<RealProcess> {
    const [port = 0] = await freePorts(1);
    const environment = {
      SIGNING_KEYS_FILE: keysFile,
      ADMIN_EMAIL: administrator.email,
      ADMIN_PASSWORD: administrator.password,
      HOLD_ABOVE_USERS_PER_MINUTE: "0",
      HOST: "127.0.0.1",
      PORT: String(port),
      HEALTH_PORT: String(port),
      ...common,
      ...settings,
    };
    const one = describeProcess(startNode([entry], { environment }), `http://127.0.0.1:${port}`);
    processes.push(one);
    await eventually(async () => void (await fetch(`${one.url}/livez`)), { timeoutMs: 30_000 });
    return one;
  }

  return {
    startApi: (settings = {}) => start("api/main.ts", settings),
    startWorker: (settings = {}) => start("workers/main.ts", settings),
    async close() {
      for (const { child } of processes) {
        child.kill("SIGCONT");
        child.kill("SIGKILL");
      }
      await Promise.all(processes.map(({ ended }) => ended));
      rmSync(folder, { recursive: true });
    },
  };
}

function describeProcess(one: NodeProcess, url: string): RealProcess {
  async function readyz(): Promise<ReadyAnswer> {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(3_000) });
    const body = (await answer.json()) as Pick<ReadyAnswer, "checks">;
    return { status: answer.status, checks: body.checks };
  }
  return {
    ...one,
    url,
    client: createClient(url),
    readyz,
    async untilReady() {
      await eventually(
        async () => {
          const { status, checks } = await readyz();
          if (status !== 200) throw new Error(`${JSON.stringify(checks)}\n${one.output().slice(-3_000)}`);
        },
        { timeoutMs: 30_000, intervalMs: 50 },
      );
    },
  };
}
