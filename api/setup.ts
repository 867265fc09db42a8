import { isRetriable } from "../shared/errors.ts";
import type { Log } from "../shared/log.ts";
import type { Platform } from "../shared/ports/platform.ts";

export interface SetupTask {
  /** As it stands in `/readyz`: what the instance waits for. */
  readonly name: string;
  run(): Promise<void>;
  /** Whether the instance may be ready while what the task needs is away: then one failed try is enough. */
  readonly isOptional?: boolean;
}

export interface Setup {
  /** The names of the tasks that readiness waits for. */
  missing(): string[];
  /** Resolves when every task has succeeded once; never rejects. */
  whenDone(): Promise<void>;
  close(): Promise<void>;
}

export interface SetupDeps extends Pick<Platform, "timers" | "randomness"> {
  readonly log: Log;
  /** A task failed for good: the settings and what is there contradict each other. */
  onFailure(error: unknown): void;
}

const firstPauseMs = 100;
const longestPauseMs = 2_000;

/** Runs what must be there before the first request, in the background and again until each has succeeded once. */
export function startSetup(tasks: readonly SetupTask[], deps: SetupDeps): Setup {
  const { timers, randomness, log } = deps;
  const stopped = new AbortController();
  const waitedFor = new Set(tasks.map(({ name }) => name));
  const running = Promise.all(tasks.map(runUntilDone)).then(() => undefined);

  async function runUntilDone(task: SetupTask): Promise<void> {
    for (let attempts = 1; !stopped.signal.aborted; attempts += 1) {
      try {
        await task.run();
        waitedFor.delete(task.name);
        if (attempts > 1) log.info("setup.done", { task: task.name, attempts });
        return;
      } catch (err) {
        if (!isRetriable(err)) return deps.onFailure(err);
        if (attempts === 1) log.warn("setup.waiting", { task: task.name, err });
        if (task.isOptional) waitedFor.delete(task.name);
        const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(attempts, 10));
        await timers.sleep(pauseMs * (0.5 + randomness.fraction() / 2), stopped.signal);
      }
    }
  }

  return {
    missing: () => [...waitedFor],
    whenDone: () => running,
    async close() {
      stopped.abort();
      await running;
    },
  };
}
