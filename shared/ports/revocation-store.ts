import type { Addition } from "../revocation/addition.ts";
import type { Longest, Lowering, VersionedLongest, WantedLongest } from "../revocation/longest.ts";
import type { PackedAdditions } from "../revocation/packed-additions.ts";
import type { Position } from "../revocation/position.ts";

/**
 * The store: the fast copy of all live revocations, and the feed of additions to it.
 *
 * - Atomic: each call takes effect as a whole or not at all; additions get strictly growing positions.
 * - Idempotent: additions merge by `max`; adding twice leaves what adding once left (but for another position).
 * - Validity: the store is valid while it has an incarnation, its server still has the replication id under which that
 *   was set, and what it notes about itself can be read and is sound: nobody else wrote into it, no instance is missing
 *   that was registered, and no position lies ahead of the server's time by more than `clockErrorAllowedMs`. An invalid
 *   store takes no additions (`store-invalid`), makes nobody fresh; a repair takes away what is not sound.
 * - Longest values: the store holds a copy of those in the fence, which nobody's acceptance or token may exceed: a repair
 *   asks the fence. So whoever needs longer ones has the fence raised first: he says here that he wants them, raises the
 *   fence, then confirms here what it holds. A worker does the rest where he cannot.
 * - Errors: `dependency-unavailable` means "not known to have happened".
 * - Announcements may be lost and doubled, never trusted to be complete; each names the position before it.
 * - Expiry: an entry is kept until its `exp`/`until` plus `clockErrorAllowedMs`, and for the longest lifetime in use
 *   from when it was written, then may vanish at any time. What has expired by the store's clock is taken all the
 *   same: that clock may be ahead. Whoever adds leaves out what has expired, by more than that error, by his own.
 */
export interface RevocationStore {
  /**
   * Writes the additions, appends them to the feed, announces them. Unless `extend`, a cut-off is left out where
   * a live one of that subject is as strict already, whatever its `until`; with `extend`, one that lives longer
   * is written too. When nothing is left to add, answers with the head. Cut-offs and unrecorded tokens are kept
   * at least until the store's now plus the longest lifetime in use.
   */
  add(additions: readonly Addition[], options?: { readonly extend?: boolean }): Promise<Written>;

  /**
   * Reports, renews the lease, and fetches what follows `report.position`, all in one write. Registers in any case, but
   * renews nothing while the confirmed longest values do not cover the report's: then these count as wanted.
   */
  sync(report: InstanceReport): Promise<SyncAnswer>;

  /**
   * The whole contents in bounded chunks. Entries added meanwhile may or may not be in it. What is no record of ours
   * is left out, and noted; then it rejects with `store-invalid` at its end: a record may have stood there.
   */
  load(): AsyncIterable<LoadedChunk>;
  readDamaged(): Promise<Damage>;

  /** The instance has stopped accepting tokens. */
  signOff(instanceId: string): Promise<void>;

  /**
   * One read: who is registered, and what the store is now. Refused as a write is by a server that has lost its
   * replicas: another one may have been put in its place, and the instances may report there.
   */
  readInstances(): Promise<InstancesView>;
  /**
   * Forgets those of the instances that have not synced since they were seen so; how many went. The pruner's call: one
   * that came back meanwhile may hold a lease, and whoever does must be registered.
   */
  removeInstances(seen: readonly SeenInstance[]): Promise<number>;

  /** Listens until `close`. `onGap` is called whenever messages may have been lost (reconnected). */
  subscribe(listener: StoreListener): Promise<Subscription>;
  /** Tells who waits for receipts that a ledger row was noted. May be lost. */
  notifyApplied(eventIds: readonly string[]): Promise<void>;

  readState(): Promise<StoreState>;
  /**
   * Says that the fence is to cover these; to be called before the fence is raised, so that nobody lowers it meanwhile.
   * Throws `store-invalid` while it cannot be noted.
   */
  wantLongest(longest: Longest): Promise<void>;
  /** Takes over what the fence held, unless what a later version of it held is known. Throws as `wantLongest`. */
  confirmLongest(longest: VersionedLongest): Promise<void>;
  /**
   * Lowers them before the fence is lowered: the pruner's call. False, and nothing is changed, unless all is as it was
   * seen: the incarnation, the confirmed values, nobody registered with longer ones, none wanted since.
   */
  lowerLongest(lowering: Lowering): Promise<boolean>;

  /**
   * Takes the repair lock, and takes the incarnation away. Null, and nothing is changed, while somebody else has
   * it: has shown for less than `repairLockMs` that he lives, on the server that is still the one. Each attempt has a
   * lock of its own, lest a late call of one counts as the next one's; `givenUp` are the caller's locks of attempts that
   * broke off, which are taken over at once.
   */
  beginRepair(lock: string, givenUp?: readonly string[]): Promise<RepairStart | null>;
  /**
   * Writes what the buckets lack, outside the feed, and shows that the holder lives. False when the lock was lost:
   * somebody else has it, it was wiped, or the server has another replication id than when it was taken.
   */
  repair(lock: string, additions: readonly Addition[]): Promise<boolean>;
  /**
   * Takes damaged buckets away as a whole, with the records that can still be read: the repair writes all of them
   * anew. False when the lock was lost.
   */
  discard(lock: string, buckets: readonly string[]): Promise<boolean>;
  /** Makes the store valid under a new incarnation. False when the lock was lost. */
  completeRepair(lock: string, repaired: RepairEnd): Promise<boolean>;

  /** Removes feed entries appended before the store's now minus `keepMs`, at most `limit`; how many went. */
  trimFeed(keepMs: number, limit: number): Promise<number>;
  /** Removes what has expired and did not vanish by itself; how many keys went. */
  purgeExpired(): Promise<number>;
  /** Whether the server answers now. */
  ping(): Promise<boolean>;
  close(): Promise<void>;
}

export interface LoadedChunk extends PackedAdditions {
  /** About how many tokens the bucket of this chunk's tokens holds in all: a hint for who makes room for them. */
  readonly bucketRecords?: number;
}

export interface Damage {
  /** The buckets that were found damaged by anybody, and are still. */
  readonly buckets: readonly string[];
  /**
   * How many entries of somebody else's were met over this connection since the last call; each once a minute. An entry
   * of an index that names no bucket is taken away; an instance that cannot be read counts as one that enforces nothing.
   */
  readonly foreign: ReadonlyMap<ForeignEntry, number>;
}

export const foreignEntries = ["index-entry-foreign", "instance-unreadable"] as const;
export type ForeignEntry = (typeof foreignEntries)[number];

export interface Written {
  readonly incarnation: string;
  readonly position: Position;
}

export interface InstanceReport {
  readonly instanceId: string;
  /** The incarnation that was loaded, and the position that is enforced under it; null before the first load. */
  readonly incarnation: string | null;
  readonly position: Position;
  /** How long this instance accepts without a sync (an hour under `best_effort`). */
  readonly maxStalenessMs: number;
  /** How long the tokens live that this instance issues. */
  readonly tokenLifetimeSeconds: number;
  readonly entries: number;
}

export interface FeedEntry {
  readonly position: Position;
  /** The position of the addition before it. */
  readonly previous: Position;
  readonly additions: PackedAdditions;
}

/** `incarnation` is null while the store is invalid, or not `isCovered`; then nothing else in the answer counts. */
export interface SyncAnswer {
  readonly incarnation: string | null;
  /** False while the store is valid, but does not know that the fence covers the report's longest values. */
  readonly isCovered: boolean;
  /** The confirmed ones. */
  readonly longest: Longest;
  readonly head: Position;
  /**
   * In order, the oldest first; not all of them where there are many: sync again. None unless the reported
   * incarnation is the present one, or where the feed was trimmed past all (`head` is ahead then: load again).
   */
  readonly entries: readonly FeedEntry[];
  /** How many entries were left out, for the first time, that somebody else wrote into the feed; none unless given. */
  readonly foreign?: number;
}

export interface RegisteredInstance {
  readonly id: string;
  readonly incarnation: string | null;
  readonly position: Position;
  readonly maxStalenessMs: number;
  readonly tokenLifetimeSeconds: number;
  readonly entries: number;
  /** Rises with each sync. */
  readonly syncCount: number;
  /** By the store's clock. */
  readonly lastSyncAtMs: number;
  readonly signedOffAtMs: number | null;
}

export type SeenInstance = Pick<RegisteredInstance, "id" | "syncCount">;

export interface StoreState {
  /** Null while invalid. */
  readonly incarnation: string | null;
  /** When the incarnation was set, by the store's clock. */
  readonly incarnationSinceMs: number;
  /** Whether it is the first of its namespace. */
  readonly isFirstIncarnation: boolean;
  /** When the repair began that made the incarnation and wrote all of it, by the store's clock; null if some was there. */
  readonly wholeSinceMs: number | null;
  readonly head: Position;
  /** Those that the fence is known to hold. */
  readonly longest: VersionedLongest;
  /** Those that somebody wanted it to hold, at any time since it was last lowered below them. */
  readonly wanted: readonly WantedLongest[];
  readonly storeTimeMs: number;
  /**
   * How long a primary that was cut off, and another one put in its place, may have gone on renewing leases when the
   * incarnation was set; 0 where nobody replicates.
   */
  readonly replicaLagMs: number;
}

export interface InstancesView extends StoreState {
  readonly instances: readonly RegisteredInstance[];
}

export interface Announcement extends FeedEntry {
  readonly incarnation: string;
}

export interface StoreListener {
  onAnnouncement?(announcement: Announcement): void;
  /** An instance reported a new position, or signed off. */
  onReport?(instanceId: string): void;
  onApplied?(eventIds: readonly string[]): void;
  onGap?(): void;
}

export interface Subscription {
  close(): Promise<void>;
}

/** A holder of the repair lock that shows no life for so long has died, by the store's clock. */
export const repairLockMs = 5_000;

export interface RepairStart {
  /** The incarnation and the head that were found; null where there was none. */
  readonly incarnation: string | null;
  readonly head: Position;
  /** By the store's clock. */
  readonly atMs: number;
  /** The parts that were taken away, since they were not as we write them: "state", "feed" and the like. */
  readonly unsound: readonly string[];
}

export interface RepairEnd {
  readonly incarnation: string;
  readonly isFirst: boolean;
  /** See `StoreState`. */
  readonly wholeSinceMs: number | null;
  readonly longest: VersionedLongest;
}
