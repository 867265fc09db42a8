import { setTimeout as delay } from "node:timers/promises";

export interface EventuallyOptions {
  readonly timeoutMs?: number;
  readonly intervalMs?: number;
}

/**
 * Repeats `assertion` until it returns, and gives back what it returned. Once `timeoutMs` (default 5000) has
 * passed it throws an error whose `cause` is the last failure; an attempt that hangs is cut off then too.
 */
export async function eventually<T>(
  assertion: () => T | Promise<T>,
  { timeoutMs = 5000, intervalMs = 20 }: EventuallyOptions = {},
): Promise<T> {
  const giveUpAt = performance.now() + timeoutMs;
  let last: unknown = new Error("the first attempt has not come back");
  for (;;) {
    const leftMs = giveUpAt - performance.now();
    if (leftMs <= 0) throw deadlineError(timeoutMs, last);
    try {
      return await withinMs(assertion, leftMs, () => deadlineError(timeoutMs, last));
    } catch (error) {
      if (error instanceof DeadlineError) throw error;
      last = error;
    }
    await delay(Math.min(intervalMs, Math.max(0, giveUpAt - performance.now())));
  }
}

class DeadlineError extends Error {
  override name = "DeadlineError";
}

function deadlineError(timeoutMs: number, last: unknown): DeadlineError {
  const reason = last instanceof Error ? last.message : String(last);
  return new DeadlineError(`not true within ${timeoutMs} ms: ${reason}`, { cause: last });
}

async function withinMs<T>(run: () => T | Promise<T>, limitMs: number, onLimit: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(onLimit()), limitMs);
  });
  try {
    return await Promise.race([run(), limit]);
  } finally {
    clearTimeout(timer);
  }
}
