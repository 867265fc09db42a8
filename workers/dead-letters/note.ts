import { deadLetterPrefix } from "../../shared/events/dead-letter.ts";
import type { EventRecord, LoggedRecord } from "../../shared/ports/event-log.ts";
import { headerText } from "./letter.ts";

/** What an operator did with a dead letter. */
export type Handled = "replayed" | "dropped";

export interface Note {
  readonly letterId: string;
  readonly state: Handled;
}

/**
 * A log cannot delete one record, so what became of a dead letter is a record behind it in the same topic. It has a
 * key of its own: that of the letter would let a topic that is compacted forget the letter.
 */
export function createNote({ letterId, state }: Note, atMs: number): EventRecord {
  return {
    key: letterId,
    value: null,
    headers: {
      [`${deadLetterPrefix}id`]: letterId,
      [`${deadLetterPrefix}state`]: state,
      [`${deadLetterPrefix}at`]: new Date(atMs).toISOString(),
    },
  };
}

/** Null for a dead letter, whatever else its headers say. */
export function readNote(record: LoggedRecord): Note | null {
  const [letterId, state] = [headerText(record, "id"), headerText(record, "state")];
  if (headerText(record, "reason") !== null || letterId === null) return null;
  return state === "replayed" || state === "dropped" ? { letterId, state } : null;
}
