import type { EventRecord, LoggedRecord } from "../ports/event-log.ts";
import type { DeadLetterReason } from "./event.ts";
import { recordLimits } from "./event-envelope.ts";
import { parseEventTime } from "./event-time.ts";

export interface DeadLetterCause {
  readonly reason: DeadLetterReason;
  readonly detail: string;
  readonly atMs: number;
  /** How often it was tried since it was published or replayed, the last time included. */
  readonly attempts: number;
}

/** Headers that begin so are ours; those that a publisher sends are left out. */
export const deadLetterPrefix = "dead_letter_";

/** When the broker appended the record for the first time; it stays on one that is replayed. */
export const appendedAtHeader = `${deadLetterPrefix}appended_at`;

/** How often it was tried since it was published at first; it stays on one that is replayed, and goes on from there. */
export const attemptsHeader = `${deadLetterPrefix}attempts`;

const keptBytes = { key: 65_536, value: 65_536, detail: 2048 } as const;

/**
 * The record as it came, and why nothing came of it. What is larger than an event may be is cut: a dead letter that
 * the broker refuses for its size would hold up its partition for ever.
 */
export function createDeadLetter(record: LoggedRecord, why: DeadLetterCause): EventRecord {
  const isValueCut = record.value !== null && record.value.byteLength > recordLimits.valueBytes;
  const isKeyCut = record.key !== null && record.key.byteLength > keptBytes.key;
  const kept = keepHeaders(record.headers);
  return {
    key: record.key?.subarray(0, keptBytes.key) ?? null,
    value: isValueCut ? (record.value?.subarray(0, keptBytes.value) ?? null) : record.value,
    headers: {
      ...kept.headers,
      dead_letter_reason: why.reason,
      dead_letter_detail: why.detail.slice(0, keptBytes.detail),
      dead_letter_topic: record.topic,
      dead_letter_partition: String(record.partition),
      dead_letter_offset: record.offset,
      [appendedAtHeader]: new Date(firstAppendedAtMs(record)).toISOString(),
      dead_letter_at: new Date(why.atMs).toISOString(),
      [attemptsHeader]: String(attemptsBefore(record) + why.attempts),
      ...((isValueCut || isKeyCut || kept.areCut) && { dead_letter_truncated: "true" }),
    },
  };
}

/**
 * When the broker appended the record, also where it was replayed since: what an event means must not change with the
 * time of its replay. Whoever sends the header himself can only say what `time` of his event can say too: earlier.
 */
export function firstAppendedAtMs({ headers, appendedAtMs }: LoggedRecord): number {
  const sent = headers[appendedAtHeader];
  const firstMs = sent instanceof Uint8Array ? parseEventTime(new TextDecoder().decode(sent)) : null;
  return Math.min(firstMs ?? appendedAtMs, appendedAtMs);
}

/** Whoever sends the header himself can only make his own event look tried; no more than nine digits are believed. */
function attemptsBefore({ headers }: LoggedRecord): number {
  const sent = headers[attemptsHeader];
  const text = sent instanceof Uint8Array ? new TextDecoder().decode(sent) : "";
  return /^\d{1,9}$/.test(text) ? Number(text) : 0;
}

function keepHeaders(sent: LoggedRecord["headers"]): {
  headers: EventRecord["headers"];
  areCut: boolean;
} {
  const kept = new Map<string, Uint8Array | readonly Uint8Array[]>();
  let [count, bytes] = [0, 0];
  for (const [name, value] of Object.entries(sent)) {
    // Whoever publishes must not be able to say what became of his record.
    if (value === undefined || name.startsWith(deadLetterPrefix)) continue;
    const values = value instanceof Uint8Array ? [value] : value;
    count += values.length;
    bytes += values.reduce((sum, each) => sum + name.length + each.byteLength, 0);
    if (count > recordLimits.headers || bytes > recordLimits.headerBytes) {
      return { headers: Object.fromEntries(kept), areCut: true };
    }
    kept.set(name, value);
  }
  return { headers: Object.fromEntries(kept), areCut: false };
}
