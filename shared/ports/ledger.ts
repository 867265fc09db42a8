import type { EventType, ExternalIdentity } from "../events/event.ts";
import type { Longest, VersionedLongest } from "../revocation/longest.ts";
import type { Position } from "../revocation/position.ts";

/**
 * The ledger: the durable list of revocations, the marks on recorded tokens, and the fence. The truth that the
 * store is repaired from.
 *
 * - Writes are acknowledged by a majority and the journal; the fence is read from the primary with majority concern.
 * - `insertPending` never overwrites; `noteApplied` never turns an enforced row back; `noteEnforced` is final.
 * - A pending row is never purged, nor is a held one: it ends by being confirmed, or as failed.
 * - Errors: `dependency-unavailable` means "not known to have happened".
 */
export interface Ledger {
  /** Inserts the rows that are not there yet. */
  insertPending(rows: readonly PendingRow[]): Promise<void>;
  /**
   * Inserts the row as admitted or held; one that is there, pending or failed, and was never judged, becomes so. Answers
   * with the row as it is then: of two verdicts on one event the first stands.
   */
  judge(row: PendingRow, verdict: Verdict): Promise<LedgerRow>;
  /** Makes a held row a pending one that is confirmed. Null when it is not held, or its hold is ending. */
  confirmHold(eventId: string, confirmation: Confirmation): Promise<LedgerRow | null>;
  /** Held rows whose `untilMs` lies before `nowMs`, and those whose hold is ending, the oldest first. */
  listHoldsOver(nowMs: number, limit: number): Promise<LedgerRow[]>;
  /** From now on it cannot be confirmed. False when the row is not held, or not over. */
  beginHoldEnd(eventId: string, nowMs: number): Promise<boolean>;
  /** Makes a row whose hold is ending `failed`; it counts as not judged then. */
  endHold(eventId: string, failed: { readonly untilMs: number }): Promise<void>;
  countHeld(): Promise<number>;
  find(eventId: string): Promise<LedgerRow | null>;
  findMany(eventIds: readonly string[]): Promise<LedgerRow[]>;
  /** The newest first, by (requestedAt, id), after `after`. */
  list(query: LedgerQuery): Promise<LedgerRow[]>;
  /**
   * Notes what was written to the store. Changes status `pending` or `failed` to `applied`; leaves `enforced` as it is.
   * False when there is no row, so that nothing was noted: it was purged meanwhile.
   */
  noteApplied(eventId: string, applied: AppliedNote): Promise<boolean>;
  /** As `noteApplied` for each; each by itself is one step, all of them are not. */
  noteManyApplied(notes: readonly EventNote[]): Promise<readonly boolean[]>;
  /** Changes those rows that are applied and still noted under `incarnation` and one of the positions; how many. */
  noteEnforced(eventIds: readonly string[], enforced: EnforcedNote): Promise<number>;
  /** Changes a pending row, and no other, to `failed`: its event was given up, until it comes again. */
  noteFailed(eventId: string, failed: { readonly untilMs: number }): Promise<void>;
  /** Applied and not enforced, the oldest first, after `after`. */
  listUnsettled(limit: number, after?: Pick<LedgerRow, "requestedAtMs" | "eventId">): Promise<LedgerRow[]>;
  /** Pending rows, the oldest first, after `after`. */
  listPending(limit: number, after?: Pick<LedgerRow, "requestedAtMs" | "eventId">): Promise<LedgerRow[]>;

  /** Marks at most `limit` more recorded, unexpired, unmarked tokens; how many were marked. */
  markTokens(eventId: string, selection: TokenSelection, limit: number): Promise<number>;
  /** As `markTokens` for each, with the limit for each; of those counted another may have marked some meanwhile. */
  markMany(requests: readonly MarkRequest[], limit: number): Promise<readonly number[]>;
  /** Tokens that bear the mark of one of the events and expire after the time, ordered by jti, after `after`. */
  listMarked(eventIds: readonly string[], page: MarkedPage): Promise<MarkedToken[]>;
  /** Unexpired tokens of a selection that bear the mark of another event, ordered by jti, after `after`. */
  listMarkedByOthers(
    eventId: string,
    selection: TokenSelection,
    page: Omit<MarkedPage, "expiresAfterMs">,
  ): Promise<MarkedToken[]>;
  /**
   * Tokens that bear the mark of an event whose id lies between the two (both included) and expire after the time, in
   * no order; null where more than `limit` bear such a mark.
   */
  listMarkedBetween(range: MarkedRange): Promise<MarkedToken[] | null>;
  /** The last expiry among the subject's recorded tokens; null when it has none. */
  lastExpiryMs(subject: string): Promise<number | null>;
  /** The same of many; those that have no token are not in it. */
  lastExpiriesMs(subjects: readonly string[]): Promise<ReadonlyMap<string, number>>;

  /**
   * Every row that lives at `nowMs` or is pending, ordered by id, after `after`: what a repair reads. Without their
   * `instances`, which may be a thousand each.
   */
  listLive(page: {
    readonly nowMs: number;
    readonly after?: string;
    readonly limit: number;
  }): Promise<LedgerRow[]>;
  /** Rows that are over, pending ones excepted. */
  listExpired(over: RowsOver, limit: number): Promise<LedgerRow[]>;
  /** Those of them that are still over: a failed one may have been applied since it was listed. How many. */
  removeRows(eventIds: readonly string[], over: RowsOver): Promise<number>;

  /** Null before the first repair. */
  readFence(): Promise<Fence | null>;
  /** Sets the incarnation; the longest values stay. */
  writeFence(incarnation: string): Promise<void>;
  /**
   * Raises each of the longest values, never lowers one, and makes a new version of them in any case. Makes the document
   * when it is missing, without an incarnation. Answers with the fence as it is then, or later.
   */
  raiseLongest(longest: Longest): Promise<Fence>;
  /** Sets them, if the fence still has that incarnation and that version of them; whether it had. */
  lowerLongest(longest: Longest, from: FenceMark): Promise<boolean>;
  ping(): Promise<boolean>;
}

export interface Fence {
  /** Null before the first repair. */
  readonly incarnation: string | null;
  readonly longest: VersionedLongest;
}

export interface FenceMark {
  readonly incarnation: string;
  readonly version: number;
}

export interface PendingRow {
  /** Our own event's id, else a UUID derived from (source, id). */
  readonly eventId: string;
  readonly type: EventType;
  /** The user's id; null where no user is known. */
  readonly subject: string | null;
  /** Whom the event named, when it named nobody that we know. */
  readonly external: ExternalIdentity | null;
  readonly jti: string | null;
  readonly sid: string | null;
  /** The cut-off's; null where the row cuts nothing off, or it is not decided yet. */
  readonly epoch: number | null;
  /** NumericDate, seconds; for tokens of other issuers. */
  readonly notBefore: number | null;
  readonly reason: string | null;
  readonly actor: string | null;
  readonly source: string;
  /** Differs from `eventId` for upstream events only. */
  readonly sourceEventId: string;
  /** Digest of what an upstream event said, as it was sent; null for our own. */
  readonly content: string | null;
  readonly effectiveAtMs: number;
  readonly requestedAtMs: number;
}

export interface LedgerRow extends PendingRow {
  readonly status: RowStatus;
  /** Null where it was never asked whether it is to be held. */
  readonly hold: Hold | null;
  /** Kept until then, or held; null while pending. */
  readonly untilMs: number | null;
  /** Whether `jti` lies in the side bucket, since no token of that id is recorded. */
  readonly unrecorded: boolean;
  readonly appliedAtMs: number | null;
  readonly incarnation: string | null;
  readonly position: Position | null;
  readonly enforcedAtMs: number | null;
  readonly tokensRevoked: number;
  /** Who enforced it, as it stood when it was settled. */
  readonly instances: readonly InstanceEnforcement[];
}

export const rowStatuses = ["pending", "held", "applied", "enforced", "failed"] as const;
export type RowStatus = (typeof rowStatuses)[number];

/**
 * - admitted: not to be held, whatever is counted later.
 * - held: waits for an administrator; only in a row of status `held`.
 * - ending: nobody confirmed it in time; becomes a dead letter. Only in a row of status `held`.
 * - confirmed: goes its way as if it had never been held.
 */
export type Hold =
  | { readonly state: "admitted" | "held" | "ending" }
  | ({ readonly state: "confirmed" } & Confirmation);

export interface Confirmation {
  /** An administrator's id. */
  readonly by: string;
  readonly atMs: number;
}

export interface Verdict {
  /** Until when it waits for a confirmation; null where it is not held. */
  readonly heldUntilMs: number | null;
}

export interface InstanceEnforcement {
  readonly id: string;
  readonly state: "enforced" | "pending" | "fenced" | "gone";
  readonly atMs: number | null;
}

export interface AppliedNote {
  readonly subject: string | null;
  readonly epoch: number | null;
  readonly notBefore: number | null;
  readonly unrecorded: boolean;
  readonly untilMs: number;
  readonly appliedAtMs: number;
  readonly incarnation: string;
  readonly position: Position;
  readonly tokensRevoked: number;
}

export interface EnforcedNote {
  readonly incarnation: string;
  /** Up to each of which it is shown. */
  readonly positions: readonly Position[];
  readonly enforcedAtMs: number;
  readonly instances: readonly InstanceEnforcement[];
}

/** Exactly one way of choosing tokens. */
export type TokenSelection =
  | { readonly by: "epoch"; readonly subject: string; readonly belowEpoch: number; readonly nowMs: number }
  | {
      readonly by: "issued-at";
      readonly subject: string;
      readonly issuedAtOrBeforeMs: number;
      readonly nowMs: number;
    }
  | { readonly by: "session"; readonly sid: string; readonly nowMs: number }
  | { readonly by: "jti"; readonly jti: string; readonly nowMs: number };

/** Rows whose `untilMs` lies before a time. */
export interface RowsOver {
  readonly untilBeforeMs: number;
  /** Of those that are applied and not enforced: their receipts may still settle. */
  readonly unsettledUntilBeforeMs: number;
}

export interface MarkRequest {
  readonly eventId: string;
  readonly selection: TokenSelection;
}

export interface EventNote {
  readonly eventId: string;
  readonly note: AppliedNote;
}

export interface MarkedPage {
  readonly expiresAfterMs: number;
  readonly after?: string;
  readonly limit: number;
  /** Whose tokens they all are, where that is known: it helps to find them. */
  readonly subjects?: readonly string[];
}

export interface MarkedRange {
  readonly from: string;
  readonly to: string;
  readonly expiresAfterMs: number;
  readonly limit: number;
}

export interface MarkedToken {
  readonly jti: string;
  readonly expiresAtMs: number;
  readonly revokedBy: string;
}

export interface LedgerQuery {
  readonly limit: number;
  readonly after?: { readonly requestedAtMs: number; readonly eventId: string };
  readonly subject?: string;
  readonly jti?: string;
  readonly status?: RowStatus;
}
