import type { Consumer } from "kafkajs";
import type { Cancel, Timers } from "../ports/platform.ts";

export interface Membership {
  isMember(): boolean;
  /** A new number whenever the membership is lost or made anew: what was handed out under another one is stale. */
  generation(): number;
}

/**
 * Follows a consumer's way through its group. A member from GROUP_JOIN on; no member from REBALANCING, STOP or CRASH
 * on, and once no heartbeat has got through for `sessionTimeoutMs`, since then nobody may be able to tell us so.
 */
export function followMembership(consumer: Consumer, timers: Timers, sessionTimeoutMs: number): Membership {
  let generation = 0;
  let isMember = false;
  let cancelLapse: Cancel = () => undefined;

  function renew(): void {
    cancelLapse();
    isMember = true;
    cancelLapse = timers.after(sessionTimeoutMs, () => {
      isMember = false;
    });
  }

  function leave(): void {
    generation += 1;
    cancelLapse();
    isMember = false;
  }

  const { GROUP_JOIN, HEARTBEAT, REBALANCING, CRASH, STOP } = consumer.events;
  consumer.on(GROUP_JOIN, () => {
    generation += 1;
    renew();
  });
  consumer.on(HEARTBEAT, renew);
  consumer.on(REBALANCING, leave);
  consumer.on(STOP, leave);
  consumer.on(CRASH, leave);
  return { isMember: () => isMember, generation: () => generation };
}
