import type { EventRecord } from "../ports/event-log.ts";
import type { QuashEvent } from "./event.ts";

/** The event as a record in structured mode, keyed by whom it is about, so that one user's events stay in order. */
export function encodeEvent(event: QuashEvent): EventRecord {
  const { details } = event;
  const cloudEvent = {
    specversion: "1.0",
    id: event.id,
    source: event.source,
    type: event.type,
    subject: event.subject,
    time: new Date(event.timeMs).toISOString(),
    datacontenttype: "application/json",
    data: details,
  };
  const externalKey = details.external && `${details.external.iss} ${details.external.sub}`;
  return {
    key: event.subject ?? externalKey ?? null,
    value: new TextEncoder().encode(JSON.stringify(cloudEvent)),
    headers: { "content-type": "application/cloudevents+json" },
  };
}
