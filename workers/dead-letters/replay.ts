import type { EventLog } from "../../shared/ports/event-log.ts";
import type { Clock } from "../../shared/ports/platform.ts";
import { idOf, originalOf } from "./letter.ts";
import { createNote } from "./note.ts";
import { type ListedLetter, readLetters } from "./read-letters.ts";
import { type Selection, select } from "./selection.ts";

export interface ReplayDeps {
  readonly eventLog: Pick<EventLog, "readAll" | "publish">;
  readonly clock: Pick<Clock, "wallMs">;
}

export interface Replay {
  /** Published again, or to be. */
  readonly replayed: readonly ListedLetter[];
  /** Not whole, so they cannot be. */
  readonly cut: readonly ListedLetter[];
  /** Replayed or dropped before; left alone. */
  readonly handled: readonly ListedLetter[];
}

/** What a replay would do. */
export async function planReplay(eventLog: Pick<EventLog, "readAll">, selection: Selection): Promise<Replay> {
  const chosen = select((await readLetters(eventLog)).letters, selection);
  const waiting = chosen.filter(({ state }) => state === "waiting");
  return {
    replayed: waiting.filter(({ isCut }) => !isCut),
    cut: waiting.filter(({ isCut }) => isCut),
    handled: chosen.filter(({ state }) => state !== "waiting"),
  };
}

/** A line for each that a replay does not touch. */
export function leftAloneLines({ handled, cut }: Replay): string[] {
  return [
    ...handled.map(({ id, state }) => `${id} left alone: ${state} before`),
    ...cut.map(({ id, state }) => `${id} left alone: ${state}, but too large to have been kept whole`),
  ];
}

/**
 * Publishes the records again as they came. The note comes after the event, so that a crash in between replays twice
 * and never drops: an event is known by its source and id, and the second one changes nothing.
 */
export async function replay({ eventLog, clock }: ReplayDeps, { replayed }: Replay): Promise<void> {
  if (replayed.length === 0) return;
  const ids = new Set(replayed.map(({ id }) => id));
  await eventLog.readAll("dead-letters", async (records) => {
    const chosen = records.filter((record) => ids.has(idOf(record)));
    if (chosen.length === 0) return;
    await eventLog.publish("events", chosen.map(originalOf));
    const notes = chosen.map((record) =>
      createNote({ letterId: idOf(record), state: "replayed" }, clock.wallMs()),
    );
    await eventLog.publish("dead-letters", notes);
  });
}
