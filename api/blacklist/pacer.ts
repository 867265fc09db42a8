import type { Cancel, Platform } from "../../shared/ports/platform.ts";

/** Spaces the rounds of one loop: each wait may be cut short, and many requests in a row make one round. */
export class Pacer {
  readonly #deps: Pick<Platform, "clock" | "timers">;
  #dueAtMs = Number.POSITIVE_INFINITY;
  #wake: (() => void) | undefined;
  #cancel: Cancel = () => undefined;
  #isStopped = false;

  constructor(deps: Pick<Platform, "clock" | "timers">) {
    this.#deps = deps;
  }

  /** Resolves after `delayMs`, or as soon as somebody wanted it, also if that was before the call. */
  wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.within(delayMs);
    });
  }

  /** The next round begins in `delayMs` at the latest. */
  within(delayMs: number): void {
    const nowMs = this.#deps.clock.monotonicMs();
    this.#dueAtMs = Math.min(this.#dueAtMs, nowMs + delayMs);
    if (this.#wake === undefined) return;
    this.#cancel();
    if (this.#isStopped) return this.#fire();
    this.#cancel = this.#deps.timers.after(Math.max(0, this.#dueAtMs - nowMs), () => this.#fire());
  }

  /** No wait takes any time from here on. */
  stop(): void {
    this.#isStopped = true;
    this.within(0);
  }

  #fire(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    this.#dueAtMs = Number.POSITIVE_INFINITY;
    wake?.();
  }
}

const shortestRetryMs = 50;
const longestRetryMs = 500;

/** Short at the longest, so that a lease outlives a hiccup; half of it is left to chance. */
export function retryDelayMs(failures: number, randomness: Platform["randomness"]): number {
  const delayMs = Math.min(longestRetryMs, shortestRetryMs * 2 ** Math.min(failures - 1, 10));
  return Math.ceil(delayMs * (0.5 + randomness.fraction() / 2));
}
