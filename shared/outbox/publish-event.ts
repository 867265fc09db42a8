import { encodeEvent } from "../events/encode-event.ts";
import type { EventLog } from "../ports/event-log.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { OutboxEntry, UserStore } from "../ports/user-store.ts";
import { pendingRowOfOwnEvent } from "../revocation/pending-row.ts";

export interface PublishDeps {
  readonly users: Pick<UserStore, "removeFromOutbox">;
  readonly ledger: Pick<Ledger, "insertPending">;
  readonly eventLog: Pick<EventLog, "publish">;
}

/**
 * Takes an event out of the outbox to the log. It leaves the outbox only when the log has acknowledged it and the
 * ledger has its pending row, so that its receipt is always to be found in one of the two places. Doing it twice
 * publishes twice, which is harmless. Rejects with the port's error, and then leaves the event in the outbox.
 */
export function createPublishEvent({ users, ledger, eventLog }: PublishDeps) {
  return async function publishEvent({ userId, event }: OutboxEntry): Promise<void> {
    await Promise.all([
      ledger.insertPending([pendingRowOfOwnEvent(event)]),
      eventLog.publish("events", [encodeEvent(event)]),
    ]);
    await users.removeFromOutbox(userId, event.id);
  };
}

export type PublishEvent = ReturnType<typeof createPublishEvent>;
