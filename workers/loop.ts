import { isRetriable } from "../shared/errors.ts";
import type { Log } from "../shared/log.ts";
import type { Platform } from "../shared/ports/platform.ts";

export interface LoopOptions {
  /** Names the work in log lines. */
  readonly name: string;
  readonly intervalMs: number;
  readonly platform: Pick<Platform, "timers" | "randomness">;
  readonly log: Log;
  /** One round. `signal` is aborted when the loop is being closed. */
  readonly run: (signal: AbortSignal) => Promise<void>;
}

export interface Loop {
  /** Lets the present round end; idempotent. */
  readonly close: () => Promise<void>;
}

/** Runs a round at once and then one about every interval, never two at a time, whatever a round throws. */
export function startLoop({ name, intervalMs, platform, log, run }: LoopOptions): Loop {
  const stop = new AbortController();
  let isFailing = false;

  async function round(): Promise<void> {
    try {
      await run(stop.signal);
      if (isFailing) log.info("worker.recovered", { loop: name });
      isFailing = false;
    } catch (err) {
      if (!isRetriable(err)) log.error("worker.round-failed", { loop: name, err });
      else if (!isFailing) log.warn("worker.round-failed", { loop: name, err });
      isFailing = true;
    }
  }

  async function rounds(): Promise<void> {
    while (!stop.signal.aborted) {
      await round();
      const jitter = 0.8 + 0.4 * platform.randomness.fraction();
      await platform.timers.sleep(intervalMs * jitter, stop.signal);
    }
  }

  const ended = rounds();
  return {
    close() {
      stop.abort();
      return ended;
    },
  };
}
