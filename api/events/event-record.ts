import type { IncomingMessage } from "node:http";
import { AppError } from "../../shared/errors.ts";
import { headerValues } from "../middleware/header-values.ts";
import { readBytes } from "../middleware/read-body.ts";
import { mayHoldToken, refuseTokenInForm } from "../middleware/refuse-token-in-form.ts";

/** A CloudEvent as its record would stand in the log. */
export interface SentEvent {
  readonly value: Uint8Array;
  readonly headers: Readonly<Record<string, Uint8Array>>;
}

const prefix = "ce-";
const mostAttributes = 64;

/**
 * Reads one event by the HTTP binding of CloudEvents 1.0: in structured mode (§3.2) as application/cloudevents+json, in
 * binary mode (§3.1) as application/json with its attributes in `ce-` headers, which may come without a body.
 * Throws `unsupported-media-type`, `event-rejected`, `auth-ambiguous` for a form with a token, and as the reading of a
 * body does.
 */
export async function readSentEvent(request: IncomingMessage): Promise<SentEvent> {
  if (mayHoldToken(request)) refuseTokenInForm(await readBytes(request));
  const contentType = onlyValue(request, "content-type");
  const mediaType = contentType?.split(";")[0]?.trim().toLowerCase();
  if (mediaType === "application/cloudevents+json") {
    return { value: await readBytes(request), headers: { "content-type": bytesOf(contentType ?? "") } };
  }
  const attributes = readAttributes(request);
  const isBinary = mediaType === "application/json" || (mediaType === undefined && attributes.length > 0);
  if (!isBinary || attributes.length === 0) throw unsupported();
  const data = await readBytes(request);
  if (data.length > 0 && mediaType === undefined) throw unsupported();
  return {
    value: data.length === 0 ? bytesOf("{}") : data,
    headers: {
      "content-type": bytesOf(contentType ?? "application/json"),
      ...Object.fromEntries(attributes.map(([name, value]) => [`ce_${name}`, bytesOf(value)])),
    },
  };
}

function readAttributes(request: IncomingMessage): [string, string][] {
  const names = Object.keys(request.headers).filter((name) => name.startsWith(prefix));
  if (names.length > mostAttributes) {
    throw rejected(`an event may have at most ${mostAttributes} attributes`);
  }
  return names.map((name) => [name.slice(prefix.length), decodeValue(name, onlyValue(request, name) ?? "")]);
}

function onlyValue(request: IncomingMessage, name: string): string | undefined {
  const values = headerValues(request, name);
  if (values.length > 1) throw rejected(`the header ${name} is given more than once`);
  return values[0];
}

/** §3.1.3.2: what is not printable ASCII is percent-encoded UTF-8. */
function decodeValue(name: string, value: string): string {
  try {
    if (/^[\x20-\x7e]*$/.test(value)) return decodeURIComponent(value);
  } catch (cause) {
    if (!(cause instanceof URIError)) throw cause;
  }
  throw rejected(`the header ${name} is not percent-encoded UTF-8`);
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function rejected(detail: string): AppError {
  return new AppError("event-rejected", `The event is not acceptable: ${detail}.`);
}

function unsupported(): AppError {
  return new AppError(
    "unsupported-media-type",
    "Send one event as application/cloudevents+json, or as application/json with ce- headers.",
  );
}
