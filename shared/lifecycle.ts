import type { Log } from "./log.ts";
import type { Clock } from "./ports/platform.ts";
import { reportIfInvalid } from "./settings.ts";

/**
 * A stack of named closers: what was opened last is closed first. Each resource adds its closer on the line after
 * it was opened, so that a half-done start closes what it had opened.
 */
export interface Closers {
  add(name: string, close: () => Promise<void> | void): void;
  /** Runs every closer once, whatever fails; rejects with an `AggregateError` that names what did. Idempotent. */
  close(): Promise<void>;
  /** Names of what is still open, the last opened first. */
  readonly open: readonly string[];
}

export function createClosers(log: Log): Closers {
  const stack: { name: string; close: () => Promise<void> | void }[] = [];
  let closing: Promise<void> | undefined;

  async function closeAll(): Promise<void> {
    const failures: Error[] = [];
    for (let last = stack.at(-1); last; last = stack.at(-1)) {
      try {
        await last.close();
        log.debug("lifecycle.closed", { resource: last.name });
      } catch (cause) {
        failures.push(new Error(`could not close ${last.name}`, { cause }));
        log.warn("lifecycle.close-failed", { resource: last.name, err: cause });
      }
      stack.pop();
    }
    if (failures.length > 0) throw new AggregateError(failures, failures.map((f) => f.message).join("; "));
  }

  return {
    add: (name, close) => void stack.push({ name, close }),
    close: () => (closing ??= closeAll()),
    get open() {
      return stack.map(({ name }) => name).toReversed();
    },
  };
}

/** A started process: `closed` resolves after `close`, and rejects when it ended by itself. */
export interface Running {
  close(): Promise<void>;
  readonly closed: Promise<void>;
  /** Names of what is still open: told when a deadline passes. */
  readonly open: readonly string[];
}

/** A composition root's own end: by `close`, or by `fail` when a part of it has ended for good. */
export interface Ending extends Running {
  /** Lets `closed` reject; whoever waits for it closes the rest. */
  fail(error: unknown): void;
}

/** `closed` settles as the closers do: a close that failed is one that the process has to tell of. */
export function createEnding(closers: Closers): Ending {
  let settle: { resolve: () => void; reject: (error: unknown) => void } | undefined;
  const closed = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  closed.catch(() => undefined);
  return {
    closed,
    fail: (error) => settle?.reject(error),
    get open() {
      return closers.open;
    },
    async close() {
      try {
        await closers.close();
        settle?.resolve();
      } catch (error) {
        settle?.reject(error);
        throw error;
      }
    },
  };
}

export interface SignalOptions {
  readonly running: Running;
  readonly graceMs: number;
  readonly log: Log;
  readonly clock: Clock;
  readonly process: NodeJS.Process;
}

/**
 * Runs until the first SIGINT or SIGTERM, then drains. A Ctrl-C in a terminal arrives twice through npm, so
 * signals within a second of the first count as the first; a later one, or the end of the grace, exits with 1 and
 * names what was still open. What ends by itself exits with 1, or 78 for a fault of the settings. Resolves when everything is closed; the exit code is then set.
 */
export async function runUntilSignal(options: SignalOptions): Promise<void> {
  const { running, graceMs, log, clock, process } = options;
  let firstAtMs: number | undefined;
  const giveUp = (why: string) => {
    log.error("process.gave-up", { why, still_open: running.open });
    process.exit(1);
  };
  const onSignal = (signal: NodeJS.Signals) => {
    if (firstAtMs !== undefined) {
      if (clock.monotonicMs() - firstAtMs > 1_000) giveUp(`second ${signal}`);
      return;
    }
    firstAtMs = clock.monotonicMs();
    log.info("process.draining", { signal });
    setTimeout(() => giveUp(`not closed within ${graceMs} ms`), graceMs).unref();
    running.close().catch((err: unknown) => {
      log.error("process.close-failed", { err });
      process.exitCode = 1;
    });
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  process.on("unhandledRejection", (err) => {
    log.error("process.unhandled-rejection", { err });
    process.exit(1);
  });
  try {
    await running.closed;
    log.info("process.stopped");
  } catch (err) {
    if (!reportIfInvalid(process, err)) {
      log.error("process.ended", { err });
      process.exitCode = 1;
    }
    await running.close().catch((cause: unknown) => log.warn("process.close-failed", { err: cause }));
  }
}
