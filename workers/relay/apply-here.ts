import { isRetriable } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { Ledger } from "../../shared/ports/ledger.ts";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import type { ApplyEvent } from "../revoker/apply-event.ts";
import { orderingKeyOf, type ReceivedEvent } from "../revoker/received-event.ts";

export interface ApplyHereDeps {
  readonly ledger: Pick<Ledger, "insertPending">;
  readonly store: Pick<RevocationStore, "notifyApplied">;
  readonly applyEvent: ApplyEvent;
  /** Of one that is in no log any more, since it was held and is confirmed. */
  readonly giveUp: (received: ReceivedEvent, error: unknown) => Promise<void>;
  readonly log: Log;
}

const atOnce = 200;

/**
 * Applies events that did not come through the log, with the revoker's own code. Nobody waits for it: one that takes
 * long, as that of a user with very many tokens, holds up only what is about the same subject.
 */
export class ApplyHere {
  readonly #deps: ApplyHereDeps;
  /** By subject, so that one's events are applied in their order. */
  readonly #inFlight = new Map<string, Promise<void>>();
  /** Applied, or refused for good: not to be tried here again while they are offered. */
  #done = new Set<string>();
  #waiting: readonly ReceivedEvent[] = [];
  #next = 0;
  #isFailing = false;

  constructor(deps: ApplyHereDeps) {
    this.#deps = deps;
  }

  isDone(eventId: string): boolean {
    return this.#done.has(eventId);
  }

  /** All that is to be applied here by now; what was offered before and is not in it any more is forgotten. */
  offer(events: readonly ReceivedEvent[]): void {
    this.#done = new Set(events.map(({ eventId }) => eventId).filter((eventId) => this.#done.has(eventId)));
    this.#waiting = events.filter(({ eventId }) => !this.#done.has(eventId));
    this.#next = 0;
    this.#start();
  }

  /** Starts nothing more, and lets what has begun end. */
  async close(): Promise<void> {
    this.#waiting = [];
    await Promise.all(this.#inFlight.values());
  }

  /** What is about a subject in hand is passed over: it is offered again. */
  #start(): void {
    while (this.#inFlight.size < atOnce) {
      const event = this.#waiting[this.#next];
      if (event === undefined) return;
      this.#next += 1;
      const key = orderingKeyOf(event);
      if (this.#inFlight.has(key)) continue;
      const applied = this.#try(event).finally(() => {
        this.#inFlight.delete(key);
        this.#start();
      });
      this.#inFlight.set(key, applied);
    }
  }

  /** Never rejects. */
  async #try(received: ReceivedEvent): Promise<void> {
    const { log } = this.#deps;
    const { eventId } = received;
    try {
      await this.#apply(received);
      this.#isFailing = false;
    } catch (err) {
      if (isRetriable(err)) {
        log[this.#isFailing ? "debug" : "warn"]("relay.apply-failed", { event_id: eventId, err });
        this.#isFailing = true;
        return;
      }
      log.error("revocation.failed", { event_id: eventId, err });
      // Any other stays for the log, whose revoker makes a dead letter of it.
      if (received.isConfirmed && !(await this.#giveUp(received, err))) return;
    }
    this.#done.add(eventId);
  }

  async #giveUp(received: ReceivedEvent, error: unknown): Promise<boolean> {
    const { giveUp, log } = this.#deps;
    try {
      await giveUp(received, error);
      return true;
    } catch (err) {
      log.warn("relay.give-up-failed", { event_id: received.eventId, err });
      return false;
    }
  }

  async #apply(received: ReceivedEvent): Promise<void> {
    const { ledger, store, applyEvent, log } = this.#deps;
    const { eventId, event } = received;
    await ledger.insertPending([received.pendingRow]);
    await applyEvent(received, { heartbeat: () => Promise.resolve() });
    log.info("revocation.applied", { event_id: eventId, type: event.type, by: "relay" });
    store.notifyApplied([eventId]).catch((err: unknown) => log.debug("relay.notify-failed", { err }));
  }
}
