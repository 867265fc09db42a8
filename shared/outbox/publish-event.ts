import { encodeEvent } from "../events/encode-event.ts";
import type { EventLog } from "../ports/event-log.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { OutboxEntry, UserStore } from "../ports/user-store.ts";
import { pendingRowOfOwnEvent } from "../revocation/pending-row.ts";

export interface PublishDeps {
  readonly users: UserStore;
  readonly ledger: Ledger;
  readonly eventLog: EventLog;
}

/**
 * Takes an event out of the outbox to the log. In this order: the pending row, so that its receipt is always to
 * be found in one of the two places; the log's acknowledgement; the removal. Doing it twice publishes twice,
 * which is harmless. Rejects with the port's error and leaves the event in the outbox.
 */
export function createPublishEvent({ users, ledger, eventLog }: PublishDeps) {
  return async function publishEvent(entry: OutboxEntry): Promise<void> {
    await ledger.insertPending([pendingRowOfOwnEvent(entry.event)]);
    await eventLog.publish("events", [encodeEvent(entry.event)]);
    await users.removeFromOutbox(entry.userId, entry.event.id);
  };
}

export type PublishEvent = ReturnType<typeof createPublishEvent>;
