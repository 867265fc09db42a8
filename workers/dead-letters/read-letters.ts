import type { EventLog } from "../../shared/ports/event-log.ts";
import { type Letter, readLetter } from "./letter.ts";
import { type Handled, readNote } from "./note.ts";
import { readTopic } from "./read-topic.ts";

export interface ListedLetter extends Letter {
  readonly state: "waiting" | Handled;
}

export interface Letters {
  /** The name of the topic that they stand in. */
  readonly topic: string;
  readonly letters: readonly ListedLetter[];
}

/** Every dead letter and what became of it, the oldest first. Their values are not kept. */
export async function readLetters(eventLog: Pick<EventLog, "readAll">): Promise<Letters> {
  const letters: Letter[] = [];
  const handled = new Map<string, Handled>();
  const topic = await readTopic(eventLog, async (records) => {
    for (const record of records) {
      const note = readNote(record);
      const letter = note === null ? readLetter(record) : null;
      if (letter !== null) letters.push(letter);
      // One that was replayed may be dropped later, not the other way round.
      if (note !== null && handled.get(note.letterId) !== "dropped") handled.set(note.letterId, note.state);
    }
  });
  const listed = letters
    .map((letter): ListedLetter => ({ ...letter, state: handled.get(letter.id) ?? "waiting" }))
    .toSorted((a, b) => a.atMs - b.atMs);
  return { topic, letters: listed };
}
