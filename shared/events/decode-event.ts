import { z } from "zod";
import { type DeadLetterReason, type EventDetails, eventTypes, ownSource, type QuashEvent } from "./event.ts";
import { type Envelope, isJsonObject, mediaTypeOf, openEnvelope, Refusal } from "./event-envelope.ts";
import { describeFault, detailsSchemas, plainText, textLimits } from "./event-schema.ts";
import { faultOfEventTime, parseEventTime } from "./event-time.ts";

export type DecodedEvent =
  | { readonly ok: true; readonly event: QuashEvent }
  | {
      readonly ok: false;
      readonly reason: DeadLetterReason;
      readonly detail: string;
      /** Its id, where it could be read and the record claims to be ours. */
      readonly ownId?: string;
    };

export interface DecodeContext {
  /** Stands in for a missing time; bounds the one that an upstream system sent. */
  readonly appendedAtMs: number;
  readonly namespace: string;
}

const identitySchema = z.object({
  specversion: z.literal("1.0"),
  id: plainText(textLimits.id),
  source: plainText(textLimits.source),
  type: plainText(textLimits.id),
});
const typeSchema = z.enum(eventTypes);
const subjectSchema = plainText(textLimits.subject);

/**
 * Reads a record as an event, in structured or binary mode of CloudEvents 1.0. Never throws, whatever the bytes are.
 * `detail` is written for whoever published the record, and repeats nothing of what was sent.
 */
export function decodeEvent(
  record: { readonly value: unknown; readonly headers: unknown },
  context: DecodeContext,
): DecodedEvent {
  let identity: Identity | undefined;
  try {
    const envelope = openEnvelope(record);
    identity = readIdentity(envelope);
    return { ok: true, event: readEvent(envelope, identity, context) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const refused = { ok: false, reason: error.reason, detail: error.message } as const;
    return identity?.source === ownSource(context.namespace) ? { ...refused, ownId: identity.id } : refused;
  }
}

function readEvent(envelope: Envelope, identity: Identity, context: DecodeContext): QuashEvent {
  const { id, source, type: sentType } = identity;
  const type = typeSchema.safeParse(sentType);
  if (!type.success) throw new Refusal("unknown-type", `type must be one of ${eventTypes.join(", ")}`);
  checkDataContentType(envelope.attribute("datacontenttype"));
  const kind = source === ownSource(context.namespace) ? "own" : "upstream";
  const timeMs = readTime(envelope.attribute("time"), context.appendedAtMs, kind);
  const subject = readSubject(envelope.attribute("subject"));
  const details = readDetails(envelope.data, detailsSchemas[kind][type.data]);
  if (subject === undefined && details.external === undefined && type.data !== "token.revoked") {
    throw new Refusal("data-invalid", "subject is missing; an external identity is named by data.external");
  }
  return { id, source, type: type.data, ...(subject !== undefined && { subject }), timeMs, details };
}

type Identity = z.infer<typeof identitySchema>;

function readIdentity({ attribute }: Envelope): Identity {
  const identity = identitySchema.safeParse({
    specversion: attribute("specversion"),
    id: attribute("id"),
    source: attribute("source"),
    type: attribute("type"),
  });
  if (!identity.success) throw new Refusal("envelope-invalid", describeFault(identity.error, ""));
  return identity.data;
}

function checkDataContentType(sent: unknown): void {
  if (isMissing(sent)) return;
  if (typeof sent !== "string" || mediaTypeOf(sent, "datacontenttype") !== "application/json") {
    throw new Refusal("envelope-invalid", "the content type of the data must be application/json");
  }
}

/** Nothing is ordered by the time of an event of ours: a clock of ours that is wrong must not undo it. */
function readTime(sent: unknown, appendedAtMs: number, kind: "own" | "upstream"): number {
  if (isMissing(sent)) return appendedAtMs;
  const timeMs = typeof sent === "string" ? parseEventTime(sent) : null;
  if (timeMs === null) {
    throw new Refusal("clock-out-of-range", "time must be an RFC 3339 date-time with its offset");
  }
  const fault = kind === "own" ? null : faultOfEventTime(timeMs, appendedAtMs);
  if (fault !== null) throw new Refusal("clock-out-of-range", fault);
  return timeMs;
}

function readSubject(sent: unknown): string | undefined {
  if (isMissing(sent)) return undefined;
  const subject = subjectSchema.safeParse(sent);
  if (!subject.success) throw new Refusal("data-invalid", describeFault(subject.error, "subject"));
  return subject.data;
}

function readDetails(sent: unknown, schema: z.ZodType<EventDetails>): EventDetails {
  const data = isMissing(sent) ? {} : sent;
  if (!isJsonObject(data)) throw new Refusal("data-invalid", "data must be a JSON object");
  const members = Object.entries(data).filter(([, value]) => !isMissing(value));
  const details = schema.safeParse(Object.fromEntries(members));
  if (!details.success) throw new Refusal("data-invalid", describeFault(details.error, "data"));
  return details.data;
}

/** The JSON format of CloudEvents 1.0, §2.2: an attribute that is not set may be sent as null. */
function isMissing(sent: unknown): sent is null | undefined {
  return sent === null || sent === undefined;
}
