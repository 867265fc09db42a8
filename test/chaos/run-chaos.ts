import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../support/eventually.ts";
import { administrator } from "../support/fleet.ts";
import { createRandom } from "../support/random.ts";
import { apiNames, newcomerName } from "./fault-kinds.ts";
import { createInjector } from "./faults/inject.ts";
import type { ChaosOptions } from "./options.ts";
import type { Recorder } from "./recorder.ts";
import { calm, createSchedule } from "./schedule.ts";
import { maxLagSeconds } from "./system/replicated-redis.ts";
import { type ChaosSystem, startSystem } from "./system/start-system.ts";
import { createApiClient } from "./workload/api-client.ts";
import { readBacklog } from "./workload/backlog.ts";
import { noteDeadLetters } from "./workload/dead-letters.ts";
import { createPeople } from "./workload/people.ts";
import { probeAll } from "./workload/probes.ts";
import { createReceiptReader, type ReceiptReader } from "./workload/receipts.ts";
import { runWorkload } from "./workload/run-workload.ts";
import { createStories } from "./workload/stories.ts";
import { createTokenPool } from "./workload/token-pool.ts";
import { connectUpstreamSystem } from "./workload/upstream-system.ts";

const innocents = 12;
const maxStalenessMs = 5_000;
/** Beyond the time for which faults and operations last: what has not come to its end by then is lost. */
const patienceMs = 60_000;

type RunOptions = Pick<ChaosOptions, "seed" | "seconds" | "sentinel">;
type Log = (line: string) => void;

export interface RunDeps {
  readonly recorder: Recorder;
  readonly log: Log;
  /** Where everything that runs writes its log. */
  readonly logFolder: string;
  /** Ends the run, and what it started. */
  readonly signal: AbortSignal;
}

/** Lets the faults of the schedule happen to a system at work, and writes down what was seen. */
export async function runChaos(options: RunOptions, deps: RunDeps): Promise<void> {
  const { recorder, log, logFolder, signal } = deps;
  const system = await startSystem({
    tokenLifetimeSeconds: Math.max(900, options.seconds + 300),
    sentinel: options.sentinel,
    log,
    logFolder,
    onEnd(role, how) {
      log(`${role} ${how}`);
      recorder.note({ op: "process", at: Date.now(), role, event: how });
    },
  });
  try {
    await Promise.race([work(system, options, deps), untilAborted(signal)]);
  } finally {
    await system.close();
  }
}

async function untilAborted(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, "abort");
  throw new Error("interrupted");
}

async function work(
  system: ChaosSystem,
  options: RunOptions,
  { recorder, log, signal }: RunDeps,
): Promise<void> {
  const { seed, seconds, sentinel } = options;
  const random = createRandom(`workload ${seed}`);
  const pool = createTokenPool(random);
  const apis = apiNames.map((name) => createApiClient(name, system.apiUrls[name]));
  const end = new AbortController();
  signal.addEventListener("abort", () => end.abort());
  const people = createPeople({ apis, administrator, recorder, random, pool, signal: end.signal });
  const upstream = await connectUpstreamSystem(system, { recorder, random });
  const receipts = createReceiptReader(people, recorder);
  const probing = { apis, pool, recorder };
  try {
    const run = {
      seed,
      seconds,
      max_staleness_ms: maxStalenessMs,
      replica_lag_ms: sentinel ? maxLagSeconds * 1_000 : 0,
      instances: [...apiNames],
    };
    recorder.note({ op: "run", at: Date.now(), ...run });
    for (let i = 0; i < innocents; i += 1) await people.signIn(await people.signUp(), false);
    log(`chaos for ${seconds} s with seed ${seed}`);
    const stories = createStories({ apis, people, upstream, recorder, random });
    const working = runWorkload({ ...probing, people, stories, receipts, random }, end.signal);
    const injector = createInjector({ system, recorder, events: upstream, log, signal: end.signal });
    const faults = Promise.all([
      injector.run(createSchedule(options)),
      delay(seconds * 1_000 - calm.afterMs, undefined, { signal: end.signal }),
    ]);
    await Promise.race([faults, working]);
    recorder.note({ op: "quiet", at: Date.now() });
    log("all faults are healed");
    await Promise.race([delay(calm.afterMs, undefined, { signal }), working]);
    end.abort();
    await working;
    await untilSettled(system, receipts, log);
    const newcomer = createApiClient(newcomerName, await system.startNewcomer());
    recorder.note({ op: "joined", at: Date.now(), instance: newcomer.name });
    recorder.note({ op: "final", at: Date.now() });
    log(`asking for all ${pool.all().length} tokens once more`);
    await probeAll({ ...probing, apis: [...apis, newcomer] });
    await newcomer.close();
    await noteDeadLetters(system, recorder);
  } finally {
    end.abort();
    await upstream.close();
    await Promise.all(apis.map((api) => api.close()));
  }
}

/** What does not settle is for the checker to judge. */
async function untilSettled(system: ChaosSystem, receipts: ReceiptReader, log: Log): Promise<void> {
  try {
    await eventually(
      async () => {
        for (const url of Object.values(system.apiUrls)) {
          const { status } = await fetch(`${url}/readyz`);
          if (status !== 200) throw new Error(`${url}/readyz answers ${status}`);
        }
        const backlog = await readBacklog(system);
        if (backlog > 0) throw new Error(`${backlog} events wait in the log`);
        const waiting = await receipts.readAll();
        if (waiting !== 0) throw new Error(`${waiting ?? "all"} receipts are not enforced`);
      },
      { timeoutMs: patienceMs, intervalMs: 1_000 },
    );
  } catch (error) {
    log(error instanceof Error ? error.message : String(error));
  }
}
