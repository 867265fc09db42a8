import type { Log } from "../../shared/log.ts";
import type { PublishEvent } from "../../shared/outbox/publish-event.ts";
import type { Publish } from "./own-event.ts";

export interface BackgroundPublisher {
  readonly publish: Publish;
  /** Resolves when nothing is under way any more. */
  settled(): Promise<void>;
}

/** Publishes at once, without the caller waiting for it. What fails stays in the outbox: the relay takes it from there. */
export function createBackgroundPublisher(deps: {
  readonly publishEvent: PublishEvent;
  readonly log: Log;
}): BackgroundPublisher {
  const underWay = new Set<Promise<void>>();
  return {
    publish(entry) {
      const { id, type, subject, details } = entry.event;
      deps.log.info("revocation.requested", { event_id: id, type, subject, actor: details.actor });
      const publishing = deps
        .publishEvent(entry)
        .catch((err: unknown) => deps.log.warn("event.left-to-relay", { event_id: id, err }))
        .finally(() => underWay.delete(publishing));
      underWay.add(publishing);
    },
    async settled() {
      await Promise.all(underWay);
    },
  };
}
