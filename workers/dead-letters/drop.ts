import type { EventLog } from "../../shared/ports/event-log.ts";
import type { Clock } from "../../shared/ports/platform.ts";
import { createNote } from "./note.ts";
import { type ListedLetter, readLetters } from "./read-letters.ts";
import { type Selection, select } from "./selection.ts";

export interface Drop {
  /** Hidden, or to be. */
  readonly dropped: readonly ListedLetter[];
  readonly before: readonly ListedLetter[];
}

/** What a drop would hide, and what was hidden before. */
export async function planDrop(eventLog: Pick<EventLog, "readAll">, selection: Selection): Promise<Drop> {
  const chosen = select((await readLetters(eventLog)).letters, selection);
  return {
    dropped: chosen.filter(({ state }) => state !== "dropped"),
    before: chosen.filter(({ state }) => state === "dropped"),
  };
}

export interface DropDeps {
  readonly eventLog: Pick<EventLog, "publish">;
  readonly clock: Pick<Clock, "wallMs">;
}

/** They are neither listed nor replayed from then on; the topic keeps them for its retention. */
export async function drop({ eventLog, clock }: DropDeps, { dropped }: Drop): Promise<void> {
  const notes = dropped.map(({ id }) => createNote({ letterId: id, state: "dropped" }, clock.wallMs()));
  await eventLog.publish("dead-letters", notes);
}
