import { parseStrictJson } from "../strict-json.ts";
import type { DeadLetterReason } from "./event.ts";

/** Why a record is no event. Caught in decodeEvent, and nowhere else. */
export class Refusal extends Error {
  override name = "Refusal";
  readonly reason: DeadLetterReason;

  constructor(reason: DeadLetterReason, detail: string) {
    super(detail);
    this.reason = reason;
  }
}

/** The attributes of a CloudEvent as they were sent, not checked yet; what is null was not sent. */
export interface Envelope {
  readonly attribute: (name: AttributeName) => unknown;
  readonly data: unknown;
}

type AttributeName = "specversion" | "id" | "source" | "type" | "subject" | "time" | "datacontenttype";
type JsonObject = Readonly<Record<string, unknown>>;

/** Value and headers beyond these are not looked into. */
export const recordLimits = { valueBytes: 262_144, headers: 256, headerBytes: 65_536 } as const;

const structuredType = "application/cloudevents+json";

/**
 * Opens a record by the Kafka binding of CloudEvents 1.0, §3: the content type tells structured mode from binary
 * mode. A record with neither a content type nor a `ce_` header is read as structured.
 */
export function openEnvelope(record: { readonly value: unknown; readonly headers: unknown }): Envelope {
  const headers = readHeaders(record.headers);
  const { value } = record;
  if (value instanceof Uint8Array && value.byteLength > recordLimits.valueBytes) {
    throw new Refusal("too-large", `the value has more than ${recordLimits.valueBytes} bytes`);
  }
  const contentType = textOf(headers, "content-type");
  const mediaType = contentType === null ? null : mediaTypeOf(contentType, "content-type");
  if (mediaType === structuredType) return structured(value);
  if (mediaType?.startsWith("application/cloudevents")) {
    throw new Refusal("envelope-invalid", `content-type must be ${structuredType}, one event in a record`);
  }
  const isBinary = [...headers.keys()].some((name) => name.startsWith("ce_"));
  return mediaType === null && !isBinary ? structured(value) : binary(value, headers, contentType);
}

/** The media type in lower case; refuses a charset that is not UTF-8. */
export function mediaTypeOf(contentType: string, name: string): string {
  const [mediaType = "", ...parameters] = contentType.toLowerCase().split(";");
  for (const parameter of parameters) {
    const [key = "", value = ""] = parameter.split("=").map((part) => part.trim());
    if (key === "charset" && !["utf-8", "utf8", "us-ascii"].includes(value.replaceAll('"', ""))) {
      throw new Refusal("envelope-invalid", `${name}: the charset must be utf-8`);
    }
  }
  return mediaType.trim();
}

function structured(value: unknown): Envelope {
  const event = jsonObject(value);
  if (event["data_base64"] !== undefined) {
    throw new Refusal("envelope-invalid", "data_base64 is not accepted: send data as a JSON object");
  }
  return { attribute: (name) => event[name], data: event["data"] };
}

function binary(value: unknown, headers: Headers, contentType: string | null): Envelope {
  return {
    attribute: (name) => (name === "datacontenttype" ? contentType : textOf(headers, `ce_${name}`)),
    data: jsonObject(value),
  };
}

function jsonObject(value: unknown): JsonObject {
  if (!(value instanceof Uint8Array)) throw new Refusal("not-json", "the value is missing");
  const reading = parseStrictJson(value);
  if (!reading.ok) {
    const reason = reading.fault.kind === "syntax" ? "not-json" : "data-invalid";
    throw new Refusal(reason, `the value cannot be read: ${reading.fault.detail}`);
  }
  if (!isJsonObject(reading.value)) throw new Refusal("not-json", "the value is not a JSON object");
  return reading.value;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

type Headers = ReadonlyMap<string, readonly unknown[]>;

/** By lower-case name. Bounded before anything is decoded. */
function readHeaders(headers: unknown): Headers {
  const read = new Map<string, unknown[]>();
  if (typeof headers !== "object" || headers === null) return read;
  let [count, bytes] = [0, 0];
  for (const [name, sent] of Object.entries(headers)) {
    for (const value of Array.isArray(sent) ? sent : [sent]) {
      count += 1;
      bytes += name.length + sizeOf(value);
      if (count > recordLimits.headers || bytes > recordLimits.headerBytes) {
        const { headers: most, headerBytes } = recordLimits;
        throw new Refusal("too-large", `more than ${most} headers, or ${headerBytes} bytes in them`);
      }
      read.set(name.toLowerCase(), [...(read.get(name.toLowerCase()) ?? []), value]);
    }
  }
  return read;
}

function sizeOf(value: unknown): number {
  if (value instanceof Uint8Array) return value.byteLength;
  return typeof value === "string" ? value.length : 0;
}

/** Null where the header is missing, or was sent as null. */
function textOf(headers: Headers, name: string): string | null {
  const [value, ...others] = headers.get(name) ?? [];
  if (others.length > 0) throw new Refusal("envelope-invalid", `the header ${name} was sent more than once`);
  if (value === undefined || value === null) return null;
  if (typeof value === "string") return value;
  if (!(value instanceof Uint8Array)) throw new Refusal("envelope-invalid", `the header ${name} is not text`);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(value);
  } catch {
    throw new Refusal("envelope-invalid", `the header ${name} is not valid UTF-8`);
  }
}
