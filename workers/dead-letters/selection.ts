import { type DeadLetterReason, deadLetterReasons } from "../../shared/events/event.ts";
import { parseEventTime } from "../../shared/events/event-time.ts";
import { CommandFault } from "../command-fault.ts";
import type { ListedLetter } from "./read-letters.ts";

/** Which dead letters are meant: those that every member allows. */
export interface Selection {
  readonly ids?: readonly string[];
  readonly reasons?: readonly DeadLetterReason[];
  readonly sinceMs?: number;
  readonly untilMs?: number;
  readonly subject?: string;
}

/** Throws where an id names no dead letter. */
export function select(letters: readonly ListedLetter[], selection: Selection): ListedLetter[] {
  const { ids, reasons, sinceMs = -Infinity, untilMs = Infinity, subject } = selection;
  const known = new Set(letters.map(({ id }) => id));
  const unknown = ids?.filter((id) => !known.has(id)) ?? [];
  if (unknown.length > 0) throw new CommandFault(`there is no dead letter ${unknown.join(", ")}`);
  return letters.filter(
    (letter) =>
      (ids === undefined || ids.includes(letter.id)) &&
      (reasons === undefined || reasons.some((reason) => reason === letter.reason)) &&
      letter.atMs >= sinceMs &&
      letter.atMs <= untilMs &&
      (subject === undefined || letter.subject === subject),
  );
}

export function parseReason(given: string): DeadLetterReason {
  const reason = deadLetterReasons.find((each) => each === given);
  if (reason === undefined) throw new CommandFault(`--reason is one of ${deadLetterReasons.join(", ")}`);
  return reason;
}

export function parseId(given: string): string {
  if (!/^\d{1,9}:\d{1,19}$/.test(given)) {
    throw new CommandFault("a dead letter is named by partition:offset, such as 3:17, as `list` shows it");
  }
  return given.split(":").map(BigInt).join(":");
}

const unitsMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** An RFC 3339 date-time, or how long ago. */
export function parseMoment(given: string, nowMs: number, option: "--since" | "--until"): number {
  const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(given) ?? [];
  if (unit === "s" || unit === "m" || unit === "h" || unit === "d") {
    return nowMs - Number(count) * unitsMs[unit];
  }
  const atMs = parseEventTime(given);
  if (atMs === null) {
    throw new CommandFault(
      `${option} is a time such as 2026-01-31T12:00:00Z, or how long ago: 90s, 30m, 2h, 7d`,
    );
  }
  return atMs;
}
