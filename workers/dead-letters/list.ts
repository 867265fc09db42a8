import type { EventLog } from "../../shared/ports/event-log.ts";
import { printable, printableJson } from "./printable.ts";
import { type ListedLetter, readLetters } from "./read-letters.ts";
import { type Selection, select } from "./selection.ts";

export interface ListOptions {
  readonly asJson: boolean;
  /** Also those that were dropped. */
  readonly withDropped: boolean;
}

/** The lines to print: a table, or one object a line. */
export async function list(
  eventLog: Pick<EventLog, "readAll">,
  selection: Selection,
  { asJson, withDropped }: ListOptions,
): Promise<string[]> {
  const { topic, letters: all } = await readLetters(eventLog);
  const letters = select(all, selection).filter(({ state }) => withDropped || state !== "dropped");
  if (asJson) return letters.map((letter) => printableJson(memberOf(letter)));
  if (letters.length > 0) return tableOf(letters);
  return [`no ${Object.keys(selection).length > 0 ? "such " : ""}dead letters in ${topic}`];
}

function memberOf(letter: ListedLetter) {
  const { id, atMs, reason, state, subject, source, eventId, type, time, detail, attempts, isCut } = letter;
  return {
    id,
    at: new Date(atMs).toISOString(),
    reason,
    state,
    subject,
    source,
    event_id: eventId,
    type,
    time,
    detail,
    attempts: Number(attempts),
    truncated: isCut,
  };
}

const head = ["id", "at", "reason", "state", "subject", "event id", "detail"];
const widest = 40;

export function tableOf(letters: readonly ListedLetter[]): string[] {
  const rows = letters.map((letter) => {
    const { id, atMs, reason, state, subject, eventId, detail } = letter;
    const texts = [id, new Date(atMs).toISOString(), reason, state, subject ?? "-", eventId ?? "-"];
    return [...texts.map((text) => shorten(printable(text))), printable(detail)];
  });
  const table = [head, ...rows];
  const widths = head.map((_, column) =>
    table.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), 0),
  );
  return table.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

function shorten(text: string): string {
  return text.length > widest ? `${text.slice(0, widest - 1)}…` : text;
}
