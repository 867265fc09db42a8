/**
 * What bounds the harm that one source or one mistake can do: decided in one place for all processes.
 *
 * - Writes are acknowledged by a majority and the journal.
 * - Errors: `dependency-unavailable` means "not known to have happened"; nothing may be let through then.
 */
export interface Safeguards {
  /**
   * Counts users whom a source is about to take out of service, each once a minute, by the database's own clock. For
   * each: whether at most `most` others were counted for that source within the minute before. One that was counted
   * within it gets the answer that he got then.
   */
  countUsers(count: UserCount): Promise<readonly boolean[]>;
  /** Forgets sources that counted nobody since the time, an hour ago at the least; how many went. */
  purgeCounts(idleSinceMs: number, limit: number): Promise<number>;

  /** The removal of an administrator that is under way, or was broken off; null when there is none. */
  readRemoval(): Promise<Removal | null>;
  /** Puts a removal in the place of the one that was read; false when that one is no longer there. */
  beginRemoval(removal: Removal, from: Removal | null): Promise<boolean>;
  /** Ends it, unless another one has taken its place. */
  endRemoval(claim: string): Promise<void>;
}

export interface UserCount {
  readonly source: string;
  /** Texts that tell users apart. */
  readonly users: readonly string[];
  readonly most: number;
}

/** Of an administrator: only one is removed at a time. */
export interface Removal {
  /** A new one for each attempt. */
  readonly claim: string;
  readonly userId: string;
  /** By the clock of whoever makes it. */
  readonly beganAtMs: number;
}
