/** What a call with an Idempotency-Key does, however often it is attempted. */
export interface Operation {
  /** The id of what it makes, a user or an event: the same in each attempt. */
  readonly id: string;
  /** Whether an earlier attempt, of which nothing more was heard, may have made it. */
  readonly isRepeat: boolean;
}
