import { appendedAtHeader, attemptsHeader, deadLetterPrefix } from "../../shared/events/dead-letter.ts";
import { isJsonObject, openEnvelope, Refusal } from "../../shared/events/event-envelope.ts";
import type { EventRecord, HeaderValue, LoggedRecord } from "../../shared/ports/event-log.ts";

/** What a dead letter says of itself, and what can be read of the event in it. All texts are as they were sent. */
export interface Letter extends EventSummary {
  /** `partition:offset` in the topic of the dead letters. */
  readonly id: string;
  readonly atMs: number;
  readonly reason: string;
  readonly detail: string;
  readonly attempts: string;
  /** The record was larger than an event may be, and is not whole. */
  readonly isCut: boolean;
}

interface EventSummary {
  readonly source: string | null;
  readonly eventId: string | null;
  readonly type: string | null;
  readonly time: string | null;
  /** The key where the event names nobody. */
  readonly subject: string | null;
}

export function idOf({ partition, offset }: Pick<LoggedRecord, "partition" | "offset">): string {
  return `${partition}:${offset}`;
}

/** Null for a record without a reason, which is no dead letter. */
export function readLetter(record: LoggedRecord): Letter | null {
  const reason = headerText(record, "reason");
  if (reason === null) return null;
  const atMs = Date.parse(headerText(record, "at") ?? "");
  return {
    id: idOf(record),
    atMs: Number.isNaN(atMs) ? record.appendedAtMs : atMs,
    reason,
    detail: headerText(record, "detail") ?? "",
    attempts: headerText(record, "attempts") ?? "",
    isCut: headerText(record, "truncated") === "true",
    ...summaryOf(record),
  };
}

export function headerText({ headers }: LoggedRecord, name: string): string | null {
  const value = headers[`${deadLetterPrefix}${name}`];
  return value instanceof Uint8Array ? textOf(value) : null;
}

const keptHeaders: readonly string[] = [attemptsHeader, appendedAtHeader];

/** The record as it was published at first, with how often it was tried, and since when it stood in the log. */
export function originalOf(record: LoggedRecord): EventRecord {
  const headers: Record<string, HeaderValue> = {};
  for (const [name, sent] of Object.entries(record.headers)) {
    const isKept = keptHeaders.includes(name) || !name.startsWith(deadLetterPrefix);
    if (sent !== undefined && isKept) headers[name] = sent;
  }
  return { key: record.key, value: record.value, headers };
}

function summaryOf(record: LoggedRecord): EventSummary {
  const key = record.key === null ? null : textOf(record.key);
  try {
    const { attribute, data } = openEnvelope(originalOf(record));
    const external = isJsonObject(data) && isJsonObject(data["external"]) ? data["external"] : {};
    return {
      source: textOrNull(attribute("source")),
      eventId: textOrNull(attribute("id")),
      type: textOrNull(attribute("type")),
      time: textOrNull(attribute("time")),
      subject: textOrNull(attribute("subject")) ?? textOrNull(external["sub"]) ?? key,
    };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { source: null, eventId: null, type: null, time: null, subject: key };
  }
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
