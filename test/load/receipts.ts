import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "../support/client.ts";
import type { Person } from "./people.ts";

export interface Administration {
  readonly admin: Client;
  readonly adminToken: string;
}

type Receipt = Readonly<Record<string, unknown>>;

/** The longest that a call may wait. */
const enforcedWithinMs = 30_000;
/** Less often the longer it takes: a system that is slow must not be asked the more for it. */
const polls = { firstMs: 50, mostMs: 500, growth: 2 } as const;

/** Resolves as soon as the receipt says enforced. */
export async function deactivateOverHttp(
  { admin, adminToken }: Administration,
  { id }: Person,
): Promise<void> {
  const path = `/users/${id}/deactivate?wait=enforced&timeout_ms=${enforcedWithinMs}`;
  const { status, body } = await admin.call(path, { method: "POST", token: adminToken });
  if (status !== 200 && status !== 202) throw new Error(`deactivating answered ${status}`);
  if (!isEnforced(body)) throw notEnforced(body);
}

/** Polls for the receipt of an event that was sent from elsewhere; resolves once it was seen to say enforced. */
export async function untilEnforced({ admin, adminToken }: Administration, eventId: string): Promise<void> {
  const giveUpAt = performance.now() + enforcedWithinMs;
  let receipt: Receipt = { event_id: eventId, status: "unknown" };
  for (let pauseMs: number = polls.firstMs; performance.now() < giveUpAt; pauseMs *= polls.growth) {
    await delay(Math.min(polls.mostMs, pauseMs));
    // Until a worker has read the event there is none.
    const { status, body } = await admin.call(`/revocations/${eventId}`, { token: adminToken });
    if (status === 404) continue;
    if (status !== 200) throw new Error(`asking for a receipt answered ${status}`);
    if (isEnforced(body)) return;
    receipt = body;
  }
  throw notEnforced(receipt);
}

/** Throws for one that waits for a confirmation: nothing would ever come of it. */
function isEnforced({ status, event_id: id }: Receipt): boolean {
  if (status === "failed") throw new Error(`a deactivation has failed: ${String(id)}`);
  if (status !== "held") return status === "enforced";
  throw new Error(
    "a deactivation is held, since one source deactivates more users within a minute than it may: " +
      "start the system's API and workers with HOLD_ABOVE_USERS_PER_MINUTE=0",
  );
}

function notEnforced(receipt: Receipt): Error {
  return new Error(
    `a receipt does not say enforced after ${enforcedWithinMs} ms: ${JSON.stringify(receipt)}`,
  );
}
