import type { Announcement, FeedEntry, SyncAnswer } from "../../shared/ports/revocation-store.ts";
import { origin, type Position } from "../../shared/revocation/position.ts";
import type { Blacklist } from "./blacklist.ts";

/** A place in the feed; it means something only together with the incarnation. */
export interface FeedPlace {
  readonly incarnation: string;
  readonly position: Position;
}

/**
 * `reached`: all that the answer knew of is enforced. `behind`: there is more to fetch. `lost`: what follows the
 * cursor is not in the feed any more. `other-incarnation`: the feed is another one. `invalid`: the store is. `uncovered`:
 * the store does not know that the fence covers this instance's longest values.
 */
export type FollowOutcome = "reached" | "behind" | "lost" | "other-incarnation" | "invalid" | "uncovered";

/** How far this instance enforces the feed. Moves only over additions that it has merged, without leaving one out. */
export class FeedCursor {
  readonly #blacklist: Blacklist;
  readonly #onStep: (position: Position) => void;
  #place: FeedPlace | null = null;

  /** `onStep` is told of each addition that was merged. */
  constructor(blacklist: Blacklist, onStep: (position: Position) => void = () => undefined) {
    this.#blacklist = blacklist;
    this.#onStep = onStep;
  }

  get incarnation(): string | null {
    return this.#place?.incarnation ?? null;
  }

  get position(): Position {
    return this.#place?.position ?? origin;
  }

  /** The contents were merged as they stood at `place`, or later. */
  placeAt(place: FeedPlace): void {
    this.#place = place;
  }

  /** `gap` when something was missed before it. */
  hear(announcement: Announcement): "applied" | "known" | "gap" {
    if (this.#place === null) return "known";
    if (announcement.incarnation !== this.#place.incarnation) return "gap";
    if (announcement.position <= this.#place.position) return "known";
    return this.#step(announcement) ? "applied" : "gap";
  }

  /** Takes the answer to a report of `reported`; announcements may have moved the cursor on meanwhile. */
  follow(answer: SyncAnswer, reported: Position): FollowOutcome {
    if (answer.incarnation === null) return answer.isCovered ? "invalid" : "uncovered";
    if (answer.incarnation !== this.incarnation) return "other-incarnation";
    // A store that is behind what it once said has lost something, whatever it calls itself.
    if (answer.head < reported) return "lost";
    for (const entry of answer.entries) {
      if (entry.position > this.position && !this.#step(entry)) return "lost";
    }
    if (this.position >= answer.head) return "reached";
    return answer.entries.length > 0 ? "behind" : "lost";
  }

  #step(entry: FeedEntry): boolean {
    if (this.#place === null || entry.previous !== this.#place.position) return false;
    this.#blacklist.apply(entry.additions);
    this.#place = { incarnation: this.#place.incarnation, position: entry.position };
    this.#onStep(entry.position);
    return true;
  }
}
