import type { ExternalIdentity, QuashEvent } from "../events/event.ts";
import type { UserState } from "../revocation/user-state.ts";

/**
 * Users, each with the events that wait to be published (the outbox) in the same document, so that a change and
 * its event are one write.
 *
 * - Every write is acknowledged by a majority and the journal before it resolves.
 * - `change` is conditional: of two changes decided on the same state one gets null and decides anew.
 * - A deleted user is a tombstone: `findById` and `listStates` return it, nothing else does.
 * - Errors: `dependency-unavailable` means "not known to have happened".
 */
export interface UserStore {
  /** Throws `email-taken` or `external-identity-taken`. */
  create(user: NewUser): Promise<User>;
  findById(id: string): Promise<User | null>;
  /** Those that there are, in no promised order, tombstones among them. */
  findMany(ids: readonly string[]): Promise<User[]>;
  findByEmail(normalisedEmail: string): Promise<User | null>;
  findByExternalIdentity(identity: ExternalIdentity): Promise<User | null>;
  /** People, ordered by id, after `after`: what stands for a client is found by its id only. */
  list(query: UserQuery): Promise<User[]>;
  /** The states of all users, tombstones among them, ordered by id, after `after`. */
  listStates(page: { readonly after?: string; readonly limit: number }): Promise<IdentifiedState[]>;
  hasAdministrator(): Promise<boolean>;
  /** Whether somebody else is an active administrator. */
  hasOtherAdministrator(id: string): Promise<boolean>;
  /** From now on a change that names the revision which he had comes to nothing. */
  raiseRevision(id: string): Promise<void>;
  /** Null when the user's state is no longer `change.from`, or his revision is another one than it names. `change.event` is appended to the outbox in the same write. */
  change(id: string, change: StateChange): Promise<User | null>;
  /**
   * As `change` for each, each by itself one step. Null also for one that another change has followed at once: what
   * was decided on the state before it is to be decided anew then.
   */
  changeMany(changes: readonly UserChangeRequest[]): Promise<readonly (User | null)[]>;
  /**
   * Appends an event that changes no user, such as `token.revoked`, unless it waits there already. False when there
   * is no such user.
   */
  appendEvent(id: string, event: QuashEvent): Promise<boolean>;

  /** Waiting events, those of one user in their order, oldest users first in no promised order. */
  listOutbox(limit: number): Promise<OutboxEntry[]>;
  findOutboxEvent(eventId: string): Promise<OutboxEntry | null>;
  removeFromOutbox(userId: string, eventId: string): Promise<void>;
  /** How many events wait. */
  countOutbox(): Promise<number>;

  /** Copies what became of a deactivation onto its user, before the ledger row goes. */
  keepDeactivation(userId: string, deactivation: KeptDeactivation): Promise<void>;
  /** Removes tombstones, but those of `spared`, whose outbox is empty and that were made before; how many went. */
  purgeTombstones(madeBeforeMs: number, limit: number, spared?: readonly string[]): Promise<number>;
  ping(): Promise<boolean>;
}

/**
 * `user`: a person's own calls. `operator`: reads everything, and revokes. `emitter`: may only publish events. `admin`:
 * all of it, and changes users.
 */
export const roles = ["user", "admin", "operator", "emitter"] as const;
export type Role = (typeof roles)[number];

export interface NewUser {
  readonly id: string;
  /** Normalised: NFC, lower case, trimmed. */
  readonly email: string;
  readonly passwordHash: string;
  readonly roles: readonly Role[];
  readonly externalIds: readonly ExternalIdentity[];
  readonly createdAtMs: number;
  /** Whether it stands for a client of the same id, and not for a person. */
  readonly isClient?: true;
}

export interface IdentifiedState extends UserState {
  readonly id: string;
}

export interface User extends IdentifiedState {
  /** Empty in a tombstone, as are `passwordHash`, `roles` and `externalIds`. */
  readonly email: string;
  readonly passwordHash: string;
  readonly roles: readonly Role[];
  readonly externalIds: readonly ExternalIdentity[];
  readonly createdAtMs: number;
  readonly isClient?: true;
  readonly outboxLength: number;
  /** See `raiseRevision`. */
  readonly revision: number;
  /** The last deactivation of ours or of an upstream system; null when there was none. */
  readonly lastDeactivation: KeptDeactivation | null;
  /** Left out when there are none, and in a tombstone. */
  readonly datedAhead?: readonly DatedAhead[];
}

/**
 * An upstream change that was handled before the time that it names. Published once more, it counts from a later time
 * than it did, and would be a change anew when its ledger row is gone.
 */
export interface DatedAhead {
  readonly eventId: string;
  readonly timeMs: number;
  readonly changesStatus: boolean;
}

/** The receipt of a deactivation in short: enough to answer with after its ledger row is gone. */
export interface KeptDeactivation {
  readonly eventId: string;
  readonly source: string;
  readonly reason: string | null;
  readonly requestedAtMs: number;
  readonly appliedAtMs: number | null;
  readonly enforcedAtMs: number | null;
  readonly tokensRevoked: number;
}

export interface UserQuery {
  readonly limit: number;
  readonly after?: string;
  readonly status?: "active" | "deactivated";
  readonly email?: string;
}

export interface StateChange {
  readonly from: UserState;
  /** Left out where it does not matter. */
  readonly revision?: number;
  readonly to: UserState;
  /**
   * When it is made, by the clock of whoever makes it; counts for a tombstone. Left out where `to.statusChangedAtMs`
   * is that time, as in a change of ours.
   */
  readonly changedAtMs?: number;
  /** Ours only: an upstream event is on the log already. */
  readonly event?: QuashEvent;
  /** Set with a change to `deactivated`. */
  readonly deactivation?: KeptDeactivation;
  /** In the place of those that were kept; these stay when it is left out. */
  readonly datedAhead?: readonly DatedAhead[];
}

export interface UserChangeRequest {
  readonly id: string;
  readonly change: StateChange;
}

export interface OutboxEntry {
  readonly userId: string;
  readonly event: QuashEvent;
}
