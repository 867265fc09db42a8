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

/** `onChange` is told when it becomes a member, and when it is none any more. */
export function createMembership(
  timers: Timers,
  sessionTimeoutMs: number,
  onChange: (isMember: boolean) => void = () => undefined,
): Membership {
  let generation = 0;
  let isMember = false;
  let cancelLapse: Cancel = () => undefined;

  function become(member: boolean): void {
    if (member === isMember) return;
    isMember = member;
    onChange(member);
  }

  function renewed(): void {
    cancelLapse();
    become(true);
    cancelLapse = timers.after(sessionTimeoutMs, () => become(false));
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
      become(false);
    },
  };
}
