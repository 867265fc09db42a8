import type { Cancel, Clock, Platform, Timers } from "../../shared/ports/platform.ts";
import { type Random, uuidFrom } from "../support/random.ts";
import { createSleep } from "../support/sleep.ts";
import { MachineClock, type MachineClockOptions } from "./machine-clock.ts";
import type { Scheduler } from "./scheduler.ts";

export interface SimProcessOptions extends MachineClockOptions {
  readonly name: string;
  readonly random: Random;
}

/**
 * A process and the machine it runs on: it can die, be started again, and be paused. What happens to a dead one is
 * lost; what happens to a paused one waits, and then comes all at once in any order.
 */
export class SimProcess {
  readonly name: string;
  readonly random: Random;
  readonly #scheduler: Scheduler;
  readonly #rate: number;
  readonly #machine: MachineClock;
  #lives = 0;
  #state: "up" | "stopped" | "suspended" | "down" = "down";
  /** Since when it is in that state. */
  #sinceMs = 0;
  #held: (() => void)[] = [];
  #callsUntilDeath: { left: number; readonly phase: "before" | "after" } | null = null;
  #onDeath: () => void = () => undefined;

  constructor(options: SimProcessOptions) {
    this.name = options.name;
    this.random = options.random;
    this.#scheduler = options.scheduler;
    this.#rate = options.clockRate;
    this.#machine = new MachineClock(options);
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

  /** Since when it has been up without a break; Infinity while it is not. */
  get upSinceMs(): number {
    return this.isUp ? this.#sinceMs : Infinity;
  }

  isAlive(life: number): boolean {
    return life === this.#lives && !this.isDown;
  }

  start(): Platform {
    this.#lives += 1;
    this.#callsUntilDeath = null;
    this.#enter("up");
    return this.#platform(this.#lives);
  }

  /** `listener` is told of each death that comes by itself. */
  onDeath(listener: () => void): void {
    this.#onDeath = listener;
  }

  /** Whoever does so sees to its next life. */
  kill(): void {
    this.#enter("down");
    this.#held = [];
  }

  die(): void {
    this.kill();
    this.#onDeath();
  }

  /** `suspended`: with its machine. */
  pause(how: "stopped" | "suspended"): void {
    if (this.isUp) this.#enter(how);
  }

  resume(): void {
    if (this.isUp || this.isDown) return;
    if (this.#state === "suspended") this.#machine.wake(this.#scheduler.nowMs - this.#sinceMs);
    this.#enter("up");
    const held = this.#held;
    this.#held = [];
    while (held.length > 0) {
      const [next] = held.splice(this.random.integer(0, held.length - 1), 1);
      if (next !== undefined) this.#scheduler.after(0, next);
    }
  }

  get latestShownMs(): number {
    return this.#machine.latestShownMs;
  }

  stepWall(ms: number): void {
    this.#machine.stepWall(ms);
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
    if (this.isUp) run();
    else this.#held.push(() => this.deliver(life, run));
  }

  get clock(): Clock {
    return this.#machine.clock;
  }

  #enter(state: "up" | "stopped" | "suspended" | "down"): void {
    this.#state = state;
    this.#sinceMs = this.#scheduler.nowMs;
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
    const after = (delayMs: number, callback: () => void): Cancel => {
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
