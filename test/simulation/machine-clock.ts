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

/** The clocks of a machine. */
export class MachineClock {
  readonly #options: MachineClockOptions;
  #wallOffsetMs: number;
  #suspendedMs = 0;
  #shownBeforeStepsMs = -Infinity;

  constructor(options: MachineClockOptions) {
    this.#options = options;
    this.#wallOffsetMs = options.wallOffsetMs;
  }

  get clock(): Clock {
    const { scheduler, startsAtMs, clockRate } = this.#options;
    return {
      wallMs: () => startsAtMs + this.#wallOffsetMs + scheduler.nowMs * clockRate,
      monotonicMs: () => 1_000_000 + (scheduler.nowMs - this.#suspendedMs) * clockRate,
      bootMs: () => 5_000_000 + scheduler.nowMs * clockRate,
    };
  }

  /** The latest time that the wall clock has ever shown. */
  get latestShownMs(): number {
    return Math.max(this.#shownBeforeStepsMs, this.clock.wallMs());
  }

  /** Of the time of the suspension the monotonic clock knows nothing. */
  wake(suspendedForMs: number): void {
    this.#suspendedMs += suspendedForMs;
  }

  stepWall(ms: number): void {
    this.#shownBeforeStepsMs = this.latestShownMs;
    const offsetMs = this.#wallOffsetMs + ms;
    this.#wallOffsetMs = Math.max(-offsetAtMostMs, Math.min(offsetAtMostMs, offsetMs));
  }
}
