import type { Scheduler } from "./scheduler.ts";

/** One of the three servers that everything rests on: there, or away as a whole. */
export class Engine {
  readonly #scheduler: Scheduler;
  readonly #setAvailable: (isAvailable: boolean) => void;
  #upSinceMs = 0;
  #awayUntilMs = 0;

  constructor(scheduler: Scheduler, setAvailable: (isAvailable: boolean) => void) {
    this.#scheduler = scheduler;
    this.#setAvailable = setAvailable;
  }

  /** Since when it has been there without a break; Infinity while it is away. */
  get upSinceMs(): number {
    return this.#upSinceMs;
  }

  goAwayFor(ms: number): void {
    this.#awayUntilMs = Math.max(this.#awayUntilMs, this.#scheduler.nowMs + ms);
    this.#upSinceMs = Infinity;
    this.#setAvailable(false);
    this.#scheduler.after(ms, () => {
      if (this.#scheduler.nowMs >= this.#awayUntilMs) this.comeBack();
    });
  }

  comeBack(): void {
    if (this.#upSinceMs !== Infinity) return;
    this.#upSinceMs = this.#scheduler.nowMs;
    this.#setAvailable(true);
  }
}
