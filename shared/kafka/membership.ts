import type { Cancel, Timers } from "../ports/platform.ts";

/**
 * A consumer's place in its group. A member from `joined` on, until `left`, or until no heartbeat has got through for
 * `sessionTimeoutMs`: then nobody may be able to tell us so.
 */
export interface Membership {
  isMember(): boolean;
  /** A new number whenever the membership is lost or made anew: what was handed out under another one is stale. */
  generation(): number;
  joined(): void;
  renewed(): void;
  left(): void;
}

export function createMembership(timers: Timers, sessionTimeoutMs: number): Membership {
  let generation = 0;
  let isMember = false;
  let cancelLapse: Cancel = () => undefined;

  function renewed(): void {
    cancelLapse();
    isMember = true;
    cancelLapse = timers.after(sessionTimeoutMs, () => {
      isMember = false;
    });
  }

  return {
    isMember: () => isMember,
    generation: () => generation,
    joined() {
      generation += 1;
      renewed();
    },
    renewed,
    left() {
      generation += 1;
      cancelLapse();
      isMember = false;
    },
  };
}
