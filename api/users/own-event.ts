import { type EventDetails, type EventType, ownSource, type QuashEvent } from "../../shared/events/event.ts";
import type { Ids } from "../../shared/ports/platform.ts";
import type { OutboxEntry } from "../../shared/ports/user-store.ts";

export interface OwnEventDeps {
  readonly ids: Ids;
  readonly namespace: string;
}

/** Takes an event on its way in the background; one that fails stays in the outbox for the relay. Never throws. */
export type Publish = (entry: OutboxEntry) => void;

export interface OwnEvent {
  /** For what is said once, however often it is asked for; a new one unless given. */
  readonly id?: string;
  readonly type: EventType;
  readonly subject: string;
  readonly timeMs: number;
  readonly details: { readonly [K in keyof EventDetails]: EventDetails[K] | undefined };
}

export function createOwnEvent(
  deps: OwnEventDeps,
  event: OwnEvent,
): QuashEvent & { readonly subject: string } {
  const given = Object.entries(event.details).filter(([, value]) => value !== undefined);
  return {
    ...event,
    id: event.id ?? deps.ids.uuid(),
    source: ownSource(deps.namespace),
    details: Object.fromEntries(given),
  };
}
