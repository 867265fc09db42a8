import type { DecodedEvent } from "../../../shared/events/decode-event.ts";
import { decodeEvent } from "../../../shared/events/decode-event.ts";

export const appendedAtMs = Date.UTC(2026, 4, 6, 7, 8, 9, 10);
export const namespace = "test";
export const structuredHeaders = { "content-type": "application/cloudevents+json" };

/** A deactivation by an upstream system; what is given replaces its attributes, undefined removes one. */
export function cloudEvent(attributes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    specversion: "1.0",
    id: "e-1",
    source: "https://hr.example",
    type: "user.deactivated",
    subject: "u-1",
    time: "2026-05-06T07:08:08.500Z",
    datacontenttype: "application/json",
    data: { reason: "left" },
    ...attributes,
  };
}

export function ownEvent(attributes: Record<string, unknown> = {}): Record<string, unknown> {
  return cloudEvent({ source: "/quash/test", data: { epoch: 1 }, ...attributes });
}

export function bytes(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

export function decode(value: unknown, headers: unknown = structuredHeaders): DecodedEvent {
  return decodeEvent({ value, headers }, { appendedAtMs, namespace });
}

export function decodeStructured(event: unknown, headers: unknown = structuredHeaders): DecodedEvent {
  return decode(bytes(JSON.stringify(event)), headers);
}
