/**
 * Whoever publishes an event chooses bytes that an operator's terminal shows: what could move its cursor, change its
 * settings, or reorder a line (bidirectional marks) is written as an escape.
 */
export function printable(text: string): string {
  return text.replaceAll(hidden, escapeOf);
}

/** One line of JSON, by the same rule. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(hidden, escapeOf);
}

/** Text as it is, line by line; bytes that are no UTF-8 as escapes. */
export function printableLines(bytes: Uint8Array): string[] {
  return decode(bytes).split(/\r?\n/).map(printable);
}

/** Control, format, unassigned, private and surrogate code points, and what else ends a line. */
const hidden = /[\p{C}\u2028\u2029]/gu;

function escapeOf(found: string): string {
  return Array.from({ length: found.length }, (_, at) => found.charCodeAt(at))
    .map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`)
    .join("");
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Array.from(bytes, (byte) =>
      byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`,
    ).join("");
  }
}
