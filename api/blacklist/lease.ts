import type { Clock } from "../../shared/ports/platform.ts";
import type { Position } from "../../shared/revocation/position.ts";
import { createSteadyClock, type SteadyClock } from "./steady-clock.ts";

/** By the steady clock, read right before a call is sent. */
export interface Sending {
  readonly steadyMs: number;
}

interface UnreachedSync {
  readonly sent: Sending;
  readonly incarnation: string;
  readonly head: Position;
}

/** An instance that lags further behind is fresh from none of the later ones until it has caught up. */
const unreachedAtMost = 32;

/**
 * How long ago this instance's view was proved complete: since the sending (not the answer) of the latest sync whose
 * head has been reached, under the incarnation that it showed.
 */
export class Lease {
  readonly #steadyMs: SteadyClock;
  #unreached: UnreachedSync[] = [];
  #from: Sending | null = null;

  constructor(clock: Clock) {
    this.#steadyMs = createSteadyClock(clock);
  }

  /** To be called before the call is made. */
  noteSending(): Sending {
    return { steadyMs: this.#steadyMs() };
  }

  /** The answer to what was sent then showed this head of a valid store. */
  noteAnswer(sync: UnreachedSync): void {
    if (this.#unreached.length < unreachedAtMost) this.#unreached.push(sync);
  }

  /** Everything up to `position` is enforced. Whether that proves anything later than before. */
  noteReached(incarnation: string, position: Position): boolean {
    this.#unreached = this.#unreached.filter((sync) => sync.incarnation === incarnation);
    const reached = this.#unreached.filter(({ head }) => head <= position);
    this.#unreached = this.#unreached.filter(({ head }) => head > position);
    const latest = reached.at(-1);
    if (latest === undefined) return false;
    this.#from = latest.sent;
    return true;
  }

  /** Null when nothing was proved yet. */
  elapsedMs(): number | null {
    const nowMs = this.#steadyMs();
    return this.#from === null ? null : nowMs - this.#from.steadyMs;
  }
}
