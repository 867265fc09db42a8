import type { FeedEntry } from "../ports/revocation-store.ts";
import { clockErrorAllowedMs } from "../revocation/addition.ts";
import type { PackedAdditions } from "../revocation/packed-additions.ts";
import { createPosition, millisecondsOf, origin, type Position } from "../revocation/position.ts";
import type { UndoLog } from "./undo-log.ts";

const entriesPerSync = 500;

/** The additions in their order. Every method is a part of one atomic step. */
export class StoreFeed {
  readonly #undo: UndoLog;
  #entries: FeedEntry[] = [];
  #head = origin;

  constructor(undo: UndoLog) {
    this.#undo = undo;
  }

  get head(): Position {
    return this.#head;
  }

  /** False where positions were given out that lie ahead of the clock, which was set back since. */
  isPlausible(nowMs: number): boolean {
    return millisecondsOf(this.#head) <= nowMs + clockErrorAllowedMs;
  }

  append(additions: PackedAdditions, nowMs: number): FeedEntry {
    const previous = this.#head;
    const position = this.#nextPosition(nowMs);
    const entry: FeedEntry = { position, previous, additions };
    this.#entries.push(entry);
    this.#undo.note(() => this.#entries.pop());
    this.#setHead(position);
    return entry;
  }

  after(position: Position): readonly FeedEntry[] {
    let first = this.#entries.length;
    while (first > 0 && (this.#entries[first - 1]?.position ?? origin) > position) first -= 1;
    return this.#entries.slice(first, first + entriesPerSync);
  }

  /** Those appended before the time, `limit` at most; how many went. A step of its own, and no write where none does. */
  trim(beforeMs: number, limit: number): number {
    const oldest = createPosition(Math.max(0, Math.ceil(beforeMs)), 0);
    const kept = this.#entries.findIndex(({ position }) => position >= oldest);
    const count = Math.min(limit, kept === -1 ? this.#entries.length : kept);
    if (count === 0) return 0;
    this.#undo.beginWrite();
    const gone = this.#entries.splice(0, count);
    this.#undo.note(() => this.#entries.unshift(...gone));
    return count;
  }

  drop(): void {
    const before = this.#entries;
    this.#undo.note(() => void (this.#entries = before));
    this.#entries = [];
    this.#setHead(origin);
  }

  takeCopyOf(other: StoreFeed): void {
    this.#entries = [...other.#entries];
    this.#head = other.#head;
  }

  clear(): void {
    this.#entries = [];
    this.#head = origin;
  }

  #setHead(head: Position): void {
    const before = this.#head;
    this.#undo.note(() => void (this.#head = before));
    this.#head = head;
  }

  #nextPosition(nowMs: number): Position {
    const atNow = createPosition(nowMs, 0);
    if (atNow > this.#head) return atNow;
    const [milliseconds = "0", sequence = "0"] = this.#head.split("-");
    return createPosition(milliseconds, Number(sequence) + 1);
  }
}
