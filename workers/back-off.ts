import type { Platform } from "../shared/ports/platform.ts";

export interface BackOffOptions {
  readonly minMs?: number;
  /** Small, so that what waited out a fault is applied soon after it. */
  readonly maxMs?: number;
}

/** How long to wait before attempt n + 1: doubles up to a cap, with half of it left to chance. */
export function backOffMs(
  attempt: number,
  randomness: Platform["randomness"],
  { minMs = 50, maxMs = 2_000 }: BackOffOptions = {},
): number {
  const capped = Math.min(maxMs, minMs * 2 ** Math.min(attempt - 1, 30));
  return capped * (0.5 + randomness.fraction() / 2);
}

export interface UntilDoneOptions {
  readonly platform: Pick<Platform, "timers" | "randomness">;
  readonly signal: AbortSignal;
  readonly onFailure: (error: unknown, attempt: number) => void;
}

/** Repeats `run` until it succeeds; undefined when `signal` was aborted first. */
export async function untilDone<T>(run: () => Promise<T>, options: UntilDoneOptions): Promise<T | undefined> {
  const { platform, signal, onFailure } = options;
  for (let attempt = 1; !signal.aborted; attempt += 1) {
    try {
      return await run();
    } catch (error) {
      if (!signal.aborted) onFailure(error, attempt);
      await platform.timers.sleep(backOffMs(attempt, platform.randomness), signal);
    }
  }
  return undefined;
}
