import type { Clock } from "../../shared/ports/platform.ts";
import type { Position } from "../../shared/revocation/position.ts";

/** Both clocks, read right before a call is sent. */
export interface Sending {
  readonly wallMs: number;
  readonly monotonicMs: number;
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
  readonly #clock: Clock;
  #unreached: UnreachedSync[] = [];
  #from: Sending | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** To be called before the call is made. */
  noteSending(): Sending {
    return { wallMs: this.#clock.wallMs(), monotonicMs: this.#clock.monotonicMs() };
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

  /**
   * Null when nothing was proved yet. The monotonic clock stands still in a suspended machine and the wall clock may
   * be set back: the longer time of the two counts.
   */
  elapsedMs(): number | null {
    if (this.#from === null) return null;
    const monotonicMs = this.#clock.monotonicMs() - this.#from.monotonicMs;
    return Math.max(monotonicMs, this.#clock.wallMs() - this.#from.wallMs);
  }
}
