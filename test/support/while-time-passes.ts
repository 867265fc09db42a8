import type { ManualPlatform } from "./manual-clock.ts";

/** Lets time pass until the work is done. */
export async function whileTimePasses<T>(platform: ManualPlatform, work: Promise<T>): Promise<T> {
  const progress = { isDone: false };
  const done = work.finally(() => {
    progress.isDone = true;
  });
  done.catch(() => undefined);
  while (!progress.isDone) await platform.advance(20);
  return done;
}
