import type { Clock } from "../../shared/ports/platform.ts";
import type { Scheduler } from "./scheduler.ts";

export interface MachineClockOptions {
  readonly scheduler: Scheduler;
  /** What a right wall clock shows at true time 0. */
  readonly startsAtMs: number;
  /** Of the wall clock to the true time. */
  readonly wallOffsetMs: number;
  /** How fast the clocks run; 1 is right. */
  readonly clockRate: number;
}

/** Two clocks that are both off by so much lie less than the greatest error apart that is allowed. */
const offsetAtMostMs = 130_000;

/**
 * The two clocks of a machine. Nothing on a machine that was suspended could tell so if its wall clock was set back
 * before anybody had looked: a step of it that comes meanwhile waits until somebody has looked at both clocks at once.
 */
export class MachineClock {
  readonly #options: MachineClockOptions;
  #wallOffsetMs: number;
  #suspendedMs = 0;
  /** Null unless it was suspended, and nobody has looked since. */
  #stepsToComeMs: number[] | null = null;
  #isAsleep = false;
  #hasJustShownMonotonic = false;
  #shownBeforeStepsMs = -Infinity;

  constructor(options: MachineClockOptions) {
    this.#options = options;
    this.#wallOffsetMs = options.wallOffsetMs;
  }

  /** As somebody sees it who stands beside the machine. */
  get seen(): Clock {
    const { scheduler, startsAtMs, clockRate } = this.#options;
    return {
      wallMs: () => startsAtMs + this.#wallOffsetMs + scheduler.nowMs * clockRate,
      monotonicMs: () => 1_000_000 + (scheduler.nowMs - this.#suspendedMs) * clockRate,
    };
  }

  /** As what runs on the machine reads it. */
  get read(): Clock {
    const { seen } = this;
    return {
      monotonicMs: () => {
        if (this.#stepsToComeMs !== null) this.#noteMonotonicShown();
        return seen.monotonicMs();
      },
      wallMs: () => {
        if (this.#hasJustShownMonotonic) this.#options.scheduler.after(0, () => this.#makeSteps());
        return seen.wallMs();
      },
    };
  }

  /** The latest time that the wall clock has ever shown. */
  get latestShownMs(): number {
    return Math.max(this.#shownBeforeStepsMs, this.seen.wallMs());
  }

  suspend(): void {
    this.#isAsleep = true;
    this.#stepsToComeMs ??= [];
  }

  /** Of the time of the suspension only the wall clock knows. */
  wake(suspendedForMs: number): void {
    this.#isAsleep = false;
    this.#suspendedMs += suspendedForMs;
  }

  stepWall(ms: number): void {
    if (this.#stepsToComeMs === null) this.#step(ms);
    else this.#stepsToComeMs.push(ms);
  }

  /** Whoever comes now knows of no suspension. */
  forgetSuspension(): void {
    this.#isAsleep = false;
    this.#makeSteps();
  }

  #noteMonotonicShown(): void {
    this.#hasJustShownMonotonic = true;
    queueMicrotask(() => {
      this.#hasJustShownMonotonic = false;
    });
  }

  #makeSteps(): void {
    if (this.#isAsleep) return;
    const steps = this.#stepsToComeMs ?? [];
    this.#stepsToComeMs = null;
    for (const ms of steps) this.#step(ms);
  }

  #step(ms: number): void {
    this.#shownBeforeStepsMs = this.latestShownMs;
    const offsetMs = this.#wallOffsetMs + ms;
    this.#wallOffsetMs = Math.max(-offsetAtMostMs, Math.min(offsetAtMostMs, offsetMs));
  }
}
