import { isRetriable } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { Ledger } from "../../shared/ports/ledger.ts";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import { runInOrder } from "../in-order.ts";
import type { ApplyEvent } from "../revoker/apply-event.ts";
import { orderingKeyOf, type ReceivedEvent } from "../revoker/received-event.ts";

export interface ApplyHereDeps {
  readonly ledger: Pick<Ledger, "insertPending">;
  readonly store: Pick<RevocationStore, "notifyApplied">;
  readonly applyEvent: ApplyEvent;
  readonly log: Log;
}

const subjectsAtOnce = 16;

/**
 * Applies events that did not come through the log, with the revoker's own code, one subject's in their order.
 * `onDone` is told of each that is not to be tried here again. Rejects with the first fault that is worth a retry.
 */
export function createApplyHere({ ledger, store, applyEvent, log }: ApplyHereDeps) {
  return async function applyHere(
    events: readonly ReceivedEvent[],
    onDone: (eventId: string) => void,
  ): Promise<void> {
    await runInOrder(events, { limit: subjectsAtOnce, keyOf: orderingKeyOf }, async (received) => {
      const { eventId } = received;
      try {
        await apply(received);
      } catch (err) {
        if (isRetriable(err)) throw err;
        // It stays for the log, whose revoker makes a dead letter of it.
        log.error("revocation.failed", { event_id: eventId, err });
      }
      onDone(eventId);
    });
  };

  async function apply(received: ReceivedEvent): Promise<void> {
    const { eventId, event, pendingRow } = received;
    await ledger.insertPending([pendingRow]);
    await applyEvent(received, { heartbeat: () => Promise.resolve() });
    log.info("revocation.applied", { event_id: eventId, type: event.type, by: "relay" });
    store.notifyApplied([eventId]).catch((err: unknown) => log.debug("relay.notify-failed", { err }));
  }
}

export type ApplyHere = ReturnType<typeof createApplyHere>;
