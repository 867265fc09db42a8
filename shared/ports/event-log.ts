/**
 * The event log: an ordered, durable record of events, read by a group of workers.
 *
 * - Ordering: records of one partition are handled in the order of their offsets; records with the same
 *   key go to one partition. Nothing holds across partitions.
 * - At least once: what was not committed is delivered again after a crash or a rebalance, to any worker;
 *   so may what was handled but not committed yet. `publish` may write a record twice when it is retried.
 * - `publish` resolves only when the record is on every in-sync replica. A rejection
 *   (`dependency-unavailable`) means "not known to be written".
 * - A new group starts at the earliest record.
 * - Retention is the log's own: a record that it took before the group committed it is never delivered. That is told
 *   (`handleLost`), and nothing behind the gap is delivered, nor committed, before it was dealt with.
 */
export type Topic = "events" | "dead-letters";

export interface EventRecord {
  /** Text is written as UTF-8. */
  readonly key: string | Uint8Array | null;
  readonly value: Uint8Array | null;
  /** One that has a list is sent more than once. */
  readonly headers: Readonly<Record<string, HeaderValue>>;
}

export type HeaderValue = string | Uint8Array | readonly Uint8Array[];

/** A record as it was read. Its bytes are whatever the producer sent. */
export interface LoggedRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** A header that was sent more than once has a list. */
  readonly headers: Readonly<Record<string, Uint8Array | readonly Uint8Array[] | undefined>>;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  /** When the broker appended it: the same at each redelivery. */
  readonly appendedAtMs: number;
}

export interface RecordBatch {
  readonly partition: number;
  readonly records: readonly LoggedRecord[];
  /** Keeps the membership alive in long work. Rejects when the partition is no longer ours. */
  heartbeat(): Promise<void>;
  /** True when the partition was taken away or the consumer stops: leave without committing. */
  isStale(): boolean;
  /** Everything up to and including `record` has had its effect. */
  commit(record: LoggedRecord): Promise<void>;
}

/** Records of one partition that are gone from the log, and that the group has not committed. */
export interface PartitionGap {
  readonly partition: number;
  /**
   * The first of them; behind `to` where the log was made anew or lost its end: nobody knows how many are gone then, and
   * the group begins with what is there. Null when the group has no commit at all: it is new, or its commits were forgotten, too.
   */
  readonly from: string | null;
  /** The earliest record that is left, or will be appended. */
  readonly to: string;
}

export interface LostRecords {
  readonly gaps: readonly PartitionGap[];
  /** True when the partitions were taken away or the consumer stops: give up. */
  readonly isStale: () => boolean;
}

export interface ConsumerOptions {
  /** Called one batch at a time per partition. A rejection delivers the batch again from the last commit. */
  handleBatch(batch: RecordBatch): Promise<void>;
  /**
   * Called when records may have been lost: after each joining, before the first batch of the partitions concerned,
   * and while running within about a minute. A rejection has it called again; only once it resolves are the gaps
   * passed over. Two members may be told of one gap.
   */
  handleLost(lost: LostRecords): Promise<void>;
  /**
   * It has a place in its group, or has lost it: while it has none its partitions stand still. Told at each rebalance,
   * too. Optional.
   */
  onMembership?(isMember: boolean): void;
  /** The consumer has ended for good and will not come back by itself. */
  onCrash(error: unknown): void;
}

export interface Consumer {
  /** Whether it is a member of its group now. */
  hasJoined(): boolean;
  close(): Promise<void>;
}

export type TakeRecords = (records: readonly LoggedRecord[]) => Promise<void>;

export interface PartitionLag {
  readonly topic: string;
  readonly partition: number;
  readonly records: number;
}

/** The name that a topic has in the log, and whether there is one of that name. */
export interface ReadTopic {
  readonly name: string;
  readonly exists: boolean;
}

export interface EventLog {
  /** Creates the topics where they are missing. Idempotent; safe from many processes at once. */
  ensureTopics(): Promise<void>;
  publish(topic: Topic, records: readonly EventRecord[]): Promise<void>;
  startConsumer(options: ConsumerOptions): Promise<Consumer>;
  /**
   * Hands over, one call after the other, what stands in the topic at the time of the call, each partition in its
   * order. The group of workers is not concerned, and nothing is committed. Rejects with what `take` rejects with.
   * Of a topic that does not exist nothing is handed over.
   */
  readAll(topic: Topic, take: TakeRecords): Promise<ReadTopic>;
  /** Of each partition of the events, what the group of workers has not committed. */
  readLag(): Promise<readonly PartitionLag[]>;
  close(): Promise<void>;
}
