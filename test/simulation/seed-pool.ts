import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Violation } from "./history.ts";

export interface Task {
  readonly seeds: readonly number[];
}

export interface SeedResult {
  readonly seed: number;
  readonly steps: number;
  readonly tokens: number;
  readonly violations: readonly Violation[];
}

export interface PoolOptions {
  readonly firstSeed: number;
  readonly seeds: number;
  /** Whose sources to run; this project unless given. */
  readonly folder?: string;
  /** Whether what has been found is enough. */
  readonly stopsAt?: (result: SeedResult) => boolean;
  readonly onResult?: (result: SeedResult) => void;
}

const seedsInTask = 5;

/** Shares the seeds out among as many processes as there are cores. Resolves with the results, in no order. */
export async function runSeeds(options: PoolOptions): Promise<SeedResult[]> {
  const { firstSeed, seeds, stopsAt, onResult } = options;
  const folder = options.folder ?? join(import.meta.dirname, "../..");
  const results: SeedResult[] = [];
  const last = firstSeed + seeds - 1;
  let next = firstSeed;
  let isEnough = false;

  function assign(child: ChildProcess): void {
    if (isEnough || next > last) {
      child.disconnect();
      return;
    }
    const task: Task = { seeds: range(next, Math.min(last, next + seedsInTask - 1)) };
    next += seedsInTask;
    child.send(task);
  }

  function take(result: SeedResult): void {
    results.push(result);
    onResult?.(result);
    if (stopsAt?.(result)) isEnough = true;
  }

  const processes = Math.min(availableParallelism(), Math.ceil(seeds / seedsInTask));
  await Promise.all(
    Array.from({ length: processes }, async () => {
      const child = fork(join(folder, "test/simulation/seed-process.ts"), {
        cwd: folder,
        execArgv: ["--import", "tsx"],
      });
      child.on("message", (message: SeedResult | "ready") => {
        if (message === "ready") assign(child);
        else take(message);
      });
      const [code] = await once(child, "exit");
      if (code !== 0) throw new Error(`a process of the simulation ended with ${String(code)}`);
    }),
  );
  return results;
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}
