import type { Log } from "./log.ts";

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
  /** False until its start has succeeded; left out by what is handed over started. */
  readonly hasStarted?: boolean;
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

export interface StartDeps {
  readonly closers: Closers;
  /** The steps of the start, each of which adds its closers; takes no further one once `signal` is aborted. */
  readonly start: (signal: AbortSignal) => Promise<Running | null>;
}

/**
 * What a process runs, from its first step on. Closed while it starts, it lets the step under way end and closes what
 * there is; a start under way is named among what is `open`. `closed` rejects when the start failed; what was opened
 * waits for `close` then.
 */
export function startRunning({ closers, start }: StartDeps): Running {
  const stop = new AbortController();
  let hasStarted = false;
  let isStarting = true;
  let running: Running | null = null;
  const started = start(stop.signal)
    .then((given) => {
      hasStarted = true;
      running = given;
      return given;
    })
    .finally(() => {
      isStarting = false;
    });
  const closed = started.then((running) => running?.closed).then(() => closers.close());
  closed.catch(() => undefined);
  return {
    closed,
    async close() {
      stop.abort();
      await started.catch(() => undefined);
      await closers.close();
    },
    get open() {
      return [...(isStarting ? ["start"] : []), ...(running?.open ?? []), ...closers.open];
    },
    get hasStarted() {
      return hasStarted;
    },
  };
}
