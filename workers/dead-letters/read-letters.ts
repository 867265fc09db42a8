import type { EventLog } from "../../shared/ports/event-log.ts";
import { type Letter, readLetter } from "./letter.ts";
import { type Handled, readNote } from "./note.ts";

export interface ListedLetter extends Letter {
  readonly state: "waiting" | Handled;
}

/** Every dead letter and what became of it, the oldest first. Their values are not kept. */
export async function readLetters(eventLog: Pick<EventLog, "readAll">): Promise<ListedLetter[]> {
  const letters: Letter[] = [];
  const handled = new Map<string, Handled>();
  await eventLog.readAll("dead-letters", async (records) => {
    for (const record of records) {
      const note = readNote(record);
      const letter = note === null ? readLetter(record) : null;
      if (letter !== null) letters.push(letter);
      // One that was replayed may be dropped later, not the other way round.
      if (note !== null && handled.get(note.letterId) !== "dropped") handled.set(note.letterId, note.state);
    }
  });
  return letters
    .map((letter): ListedLetter => ({ ...letter, state: handled.get(letter.id) ?? "waiting" }))
    .toSorted((a, b) => a.atMs - b.atMs);
}
