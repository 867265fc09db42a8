import type { EventType } from "../events/event.ts";

/**
 * The audit: what was decided, by whom, why. Records are only ever added, in chains, one for each life of a process, in
 * which each carries the hash of the one before. The register, itself one chain for all processes, notes where each
 * chain begins, how far it had come, and what pruning took.
 *
 * - Writes are acknowledged by a majority and the journal.
 * - `append` and `appendToRegister` never overwrite.
 * - Errors: `dependency-unavailable` means "not known to have happened".
 */
export interface AuditStore {
  /** Inserts the records that are not there yet. */
  append(records: readonly AuditRecord[]): Promise<void>;
  /** The newest first, by (at, id), after `after`. */
  list(query: AuditQuery): Promise<AuditRecord[]>;
  /** Every record, ordered by (chain, seq), after `after`. */
  listByChain(page: { readonly after?: ChainPlace; readonly limit: number }): Promise<AuditRecord[]>;
  /** Of one chain, those below a place, the first ones first; at most `limit`; how many went. */
  removeBelow(place: ChainPlace, limit: number): Promise<number>;

  /** False when there is an entry at that place: another process came first. */
  appendToRegister(entry: RegisterEntry): Promise<boolean>;
  lastOfRegister(): Promise<RegisterEntry | null>;
  /** Ordered by place, after `after`. */
  listRegister(page: { readonly after?: number; readonly limit: number }): Promise<RegisterEntry[]>;
  /** Removes entries below a place, the first ones first; at most `limit`; how many went. */
  removeFromRegister(below: number, limit: number): Promise<number>;
}

export const auditActions = [
  "sign-in.succeeded",
  "sign-in.failed",
  "session.ended",
  "token.revoked",
  "token.refused",
  "user.created",
  "user.deactivated",
  "user.reactivated",
  "user.deleted",
  "user.signed-out",
  "revocation.applied",
  "event.accepted",
  "event.dead-lettered",
  "event.held",
  "hold.confirmed",
  "hold.expired",
  "key.added",
  "key.retired",
  "key.compromised",
  "client.created",
  "client.deleted",
  "audit.gap",
] as const;

export type AuditAction = (typeof auditActions)[number];

/** No secret and no address stands in one: people and clients are named by their ids. */
export interface AuditEntry {
  readonly action: AuditAction;
  /** Who did it: a user's or a client's id, or the source of an upstream event; null for nobody who is known. */
  readonly actor: string | null;
  /** The user whom it is about. */
  readonly subject: string | null;
  /** What else it is about: a jti, a sid, a kid, a client's id or the source of an event, as the action says. */
  readonly object: string | null;
  readonly reason: string | null;
  readonly requestId: string | null;
  /** Of the revocation, as its receipt has it. */
  readonly eventId: string | null;
  readonly eventType: EventType | null;
  /** How many times it happened since the record before of the same kind; how many records a gap stands for. */
  readonly count: number;
}

export interface ChainPlace {
  /** A UUID: new at each start of a process. */
  readonly chain: string;
  /** From 1, without gaps. */
  readonly seq: number;
}

export interface AuditRecord extends AuditEntry, ChainPlace {
  readonly atMs: number;
  readonly process: AuditedProcess;
  /** The instance's id. */
  readonly instance: string;
  /** The hash of the record before; zeros in the first one. */
  readonly previous: string;
  /** SHA-256 of all of the above, hexadecimal. */
  readonly hash: string;
}

export type AuditedProcess = "api" | "worker" | "command";

export interface AuditQuery {
  readonly limit: number;
  readonly after?: AuditPlace | undefined;
  readonly actor?: string | undefined;
  readonly subject?: string | undefined;
  readonly action?: AuditAction | undefined;
  readonly eventId?: string | undefined;
  /** Included. */
  readonly fromMs?: number | undefined;
  /** Excluded. */
  readonly toMs?: number | undefined;
}

export interface AuditPlace extends ChainPlace {
  readonly atMs: number;
}

/**
 * `started`: a chain begins. `head`: it had come to `seq` with `recordHash`. `ended`: and goes no further. `pruned`: its
 * records below `seq` were taken for their age; `recordHash` is that of the last one. `register-pruned`: the same of the
 * register itself.
 */
export type RegisterNoteKind = "started" | "head" | "ended" | "pruned" | "register-pruned";

export interface RegisterNote {
  readonly kind: RegisterNoteKind;
  /** Empty for `register-pruned`. */
  readonly chain: string;
  readonly seq: number;
  readonly recordHash: string;
  readonly atMs: number;
}

export interface RegisterEntry extends RegisterNote {
  /** From 1, without gaps. */
  readonly place: number;
  readonly previous: string;
  readonly hash: string;
}
