import { type Dependency, dependencyUnavailable } from "../../shared/errors.ts";
import type { Random } from "../support/random.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimProcess } from "./sim-process.ts";

/**
 * `up`: each message takes its time. `late`: what comes back takes long, and comes in time. `slow`: some take seconds. `lossy`: some are lost, either way. `half-open`:
 * nothing arrives, and nobody is told. `cut`: nothing arrives, and the caller is told soon.
 */
export type LinkState = "up" | "late" | "slow" | "lossy" | "half-open" | "cut";

export interface LinkOptions {
  readonly process: SimProcess;
  readonly to: Dependency;
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** How long the client library waits for an answer. */
  readonly timeoutMs: number;
}

/** The way of one process to one server. A call is two messages, each of which can be late or lost. */
export class Link {
  readonly #options: LinkOptions;
  #state: LinkState = "up";
  #upSinceMs = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  get state(): LinkState {
    return this.#state;
  }

  set state(state: LinkState) {
    if (state === this.#state) return;
    this.#upSinceMs = state === "up" ? this.#options.scheduler.nowMs : Infinity;
    this.#state = state;
  }

  /** Since when it has been up without a break; Infinity while it is not. */
  get upSinceMs(): number {
    return this.#upSinceMs;
  }

  get process(): SimProcess {
    return this.#options.process;
  }

  /**
   * Runs `effect` at the server, one atomic step, if the message arrives; resolves when its answer does. Never
   * settles when the process dies. Rejects with `dependency-unavailable` when no answer came in time: the effect may
   * have happened, or may still.
   */
  call<T>(effect: () => Promise<T>): Promise<T> {
    const { process, to, timeoutMs } = this.#options;
    const life = process.life;
    return new Promise<T>((resolve, reject) => {
      if (!process.isAlive(life)) return;
      const dies = process.takeCall();
      if (dies === "before") return process.die();
      let isOver = false;
      const settle = (how: () => void) => {
        if (isOver) return;
        isOver = true;
        giveUp();
        how();
      };
      const giveUpMs = this.state === "cut" ? this.#delayMs() : timeoutMs;
      const giveUp = this.#options.scheduler.after(giveUpMs, () => {
        process.deliver(life, () => settle(() => reject(dependencyUnavailable(to, new Error("no answer")))));
      });
      const arrive = async () => {
        const answer = await effect().then(
          (value) => () => resolve(value),
          (error: unknown) => () => reject(error instanceof Error ? error : new Error(String(error))),
        );
        if (dies === "after" && process.isAlive(life)) process.die();
        const lateMs = this.state === "late" ? 500 + this.#options.random.fraction() * 450 : 0;
        this.#send(() => process.deliver(life, () => settle(answer)), lateMs);
      };
      this.#send(() => void arrive());
    });
  }

  /** A message of the server to one life of the process, on a connection that was made before. */
  push(life: number, run: () => void): void {
    this.#send(() => this.#options.process.deliver(life, run));
  }

  #send(arrive: () => void, lateMs = 0): void {
    if (!this.#isLost()) this.#options.scheduler.after(lateMs + this.#delayMs(), arrive);
  }

  #isLost(): boolean {
    if (this.state === "cut" || this.state === "half-open") return true;
    return this.state === "lossy" && this.#options.random.chance(0.3);
  }

  #delayMs(): number {
    const { random } = this.#options;
    if (this.state === "slow" && random.chance(0.3)) return random.fraction() * 6_000;
    return random.chance(0.02) ? random.fraction() * 60 : 0.1 + random.fraction() * 2;
  }
}
