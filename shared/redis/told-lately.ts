import type { Clock } from "../ports/platform.ts";

export interface ToldLately {
  /** Whether it is to be told now; it counts as told then. */
  isNews(name: string): boolean;
  forget(name: string): void;
}

const namesAtMost = 1_000;
const tellAgainAfterMs = 60_000;

/** What goes on is told once a minute, and no more than so many names in it: the rest waits for the next one. */
export function createToldLately(clock: Pick<Clock, "monotonicMs">): ToldLately {
  /** In the order in which they were told. */
  const toldAtMs = new Map<string, number>();

  function forgetOld(nowMs: number): void {
    for (const [name, atMs] of toldAtMs) {
      if (nowMs - atMs < tellAgainAfterMs) return;
      toldAtMs.delete(name);
    }
  }

  return {
    isNews(name) {
      const nowMs = clock.monotonicMs();
      forgetOld(nowMs);
      if (toldAtMs.has(name) || toldAtMs.size >= namesAtMost) return false;
      toldAtMs.set(name, nowMs);
      return true;
    },
    forget: (name) => void toldAtMs.delete(name),
  };
}
