import type { Timers } from "../ports/platform.ts";

export interface Deadline {
  readonly timers: Timers;
  readonly ms: number;
}

/** Rejects after `ms`, whether or not `work` ever settles; what it does later is ignored. */
export function withDeadline<T>(work: Promise<T>, { timers, ms }: Deadline): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = timers.after(ms, () => reject(new Error(`no answer within ${ms} ms`)));
    work.then(resolve, reject).finally(cancel);
  });
}
