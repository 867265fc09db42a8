import { dependencyUnavailable } from "../../shared/errors.ts";
import type { Timers } from "../../shared/ports/platform.ts";

/** Waits for the store's answer, but no longer than `deadlineMs`: a half-open connection never gives one. */
export function createInTime(timers: Timers, deadlineMs: number) {
  return function inTime<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = timers.after(deadlineMs, () => {
        reject(dependencyUnavailable("redis", new Error(`no answer within ${deadlineMs} ms`)));
      });
      answer.then(resolve, reject).finally(cancel);
    });
  };
}

export type InTime = ReturnType<typeof createInTime>;
