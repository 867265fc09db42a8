import type { Clock, Platform, Timers } from "../../shared/ports/platform.ts";
import { type Random, uuidFrom } from "../support/random.ts";
import { createSleep } from "../support/sleep.ts";
import type { Scheduler } from "./scheduler.ts";

export interface SimProcessOptions {
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** Of its wall clock to the true time. */
  readonly wallOffsetMs: number;
  /** How fast its clocks run; 1 is right. */
  readonly clockRate: number;
}

/** True time 0 is this moment by a clock that is right. */
export const epochMs = Date.UTC(2026, 0, 15, 12);

/**
 * A process and the machine it runs on: it can die, be started again, and be paused. What happens to a dead one is
 * lost; what happens to a paused one waits, and then comes all at once in any order.
 */
export class SimProcess {
  readonly name: string;
  readonly random: Random;
  readonly #scheduler: Scheduler;
  readonly #rate: number;
  #wallOffsetMs: number;
  /** How long the machine was suspended: the monotonic clock and the timers know nothing of that time. */
  #suspendedMs = 0;
  #lives = 0;
  #state: "up" | "paused" | "down" = "down";
  #held: (() => void)[] = [];
  #callsUntilDeath: { left: number; readonly phase: "before" | "after" } | null = null;

  constructor({ name, scheduler, random, wallOffsetMs, clockRate }: SimProcessOptions) {
    this.name = name;
    this.random = random;
    this.#scheduler = scheduler;
    this.#wallOffsetMs = wallOffsetMs;
    this.#rate = clockRate;
  }

  get life(): number {
    return this.#lives;
  }

  get isUp(): boolean {
    return this.#state === "up";
  }

  get isDown(): boolean {
    return this.#state === "down";
  }

  isAlive(life: number): boolean {
    return life === this.#lives && this.#state !== "down";
  }

  start(): Platform {
    this.#lives += 1;
    this.#state = "up";
    this.#callsUntilDeath = null;
    return this.#platform(this.#lives);
  }

  kill(): void {
    this.#state = "down";
    this.#held = [];
  }

  pause(): void {
    if (this.#state === "up") this.#state = "paused";
  }

  resume(): void {
    if (this.#state !== "paused") return;
    this.#state = "up";
    const held = this.#held;
    this.#held = [];
    while (held.length > 0) {
      const [next] = held.splice(this.random.integer(0, held.length - 1), 1);
      if (next !== undefined) this.#scheduler.after(0, next);
    }
  }

  /** As after a suspension of the machine that ends now: only its wall clock has run on. */
  noteSuspension(ms: number): void {
    this.#suspendedMs += ms;
  }

  stepWall(ms: number): void {
    this.#wallOffsetMs += ms;
  }

  /** It will die at its call number `calls` from now, before that is sent or after it has had its effect. */
  dieAtCall(calls: number, phase: "before" | "after"): void {
    this.#callsUntilDeath = { left: calls, phase };
  }

  /** Whatever was to kill it does not any more. */
  spare(): void {
    this.#callsUntilDeath = null;
  }

  /** To be asked at each call: whether it dies now, and when. */
  takeCall(): "before" | "after" | null {
    const death = this.#callsUntilDeath;
    if (death === null) return null;
    death.left -= 1;
    if (death.left > 0) return null;
    this.#callsUntilDeath = null;
    return death.phase;
  }

  /** Lets something happen to one life of the process: never if that is over, later if it is paused. */
  deliver(life: number, run: () => void): void {
    if (!this.isAlive(life)) return;
    if (this.#state === "paused") this.#held.push(() => this.deliver(life, run));
    else run();
  }

  get clock(): Clock {
    return {
      wallMs: () => epochMs + this.#wallOffsetMs + this.#scheduler.nowMs * this.#rate,
      monotonicMs: () => 1_000_000 + (this.#scheduler.nowMs - this.#suspendedMs) * this.#rate,
    };
  }

  #platform(life: number): Platform {
    const random = this.random.fork(`life ${life}`);
    return {
      clock: this.clock,
      timers: this.#timers(life),
      ids: { uuid: () => uuidFrom(random) },
      randomness: { bytes: (length) => random.bytes(length), fraction: () => random.fraction() },
    };
  }

  #timers(life: number): Timers {
    const after = (delayMs: number, callback: () => void) => {
      let isCancelled = false;
      const fire = () => {
        if (!isCancelled) callback();
      };
      const cancel = this.#scheduler.after(Math.max(0, delayMs) / this.#rate, () => this.deliver(life, fire));
      return () => {
        isCancelled = true;
        cancel();
      };
    };
    return { after, sleep: createSleep(after) };
  }
}
