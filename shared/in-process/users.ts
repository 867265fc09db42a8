import { AppError } from "../errors.ts";
import type { ExternalIdentity, QuashEvent } from "../events/event.ts";
import type {
  IdentifiedState,
  KeptDeactivation,
  NewUser,
  OutboxEntry,
  StateChange,
  User,
  UserChangeRequest,
  UserQuery,
} from "../ports/user-store.ts";
import { userAfterChange } from "../revocation/user-after-change.ts";

interface UserDocument extends Omit<User, "outboxLength"> {
  readonly outbox: readonly QuashEvent[];
}

/** Every public method is one atomic step. */
export class InProcessUsers {
  readonly #documents = new Map<string, UserDocument>();
  readonly #idByEmail = new Map<string, string>();
  readonly #idByIdentity = new Map<string, string>();
  /** When each became one, by the clock of whoever made it. */
  readonly #tombstonesAtMs = new Map<string, number>();
  /** Of whom events wait. */
  readonly #waiting = new Set<string>();

  create(user: NewUser): User {
    if (this.#documents.has(user.id)) throw new Error("two users got one id");
    if (this.#idByEmail.has(user.email)) {
      throw new AppError("email-taken", "Choose another e-mail address.");
    }
    if (user.externalIds.some((identity) => this.#idByIdentity.has(keyOf(identity)))) {
      throw new AppError("external-identity-taken", "Remove it from the other user first.");
    }
    const document: UserDocument = {
      ...user,
      status: "active",
      epoch: 0,
      statusChangedAtMs: user.createdAtMs,
      epochRaisedAtMs: user.createdAtMs,
      outbox: [],
      revision: 0,
      lastDeactivation: null,
    };
    this.#documents.set(user.id, document);
    this.#idByEmail.set(user.email, user.id);
    for (const identity of user.externalIds) this.#idByIdentity.set(keyOf(identity), user.id);
    return userOf(document);
  }

  findById(id: string): User | null {
    return userOrNull(this.#documents.get(id));
  }

  findMany(ids: readonly string[]): User[] {
    return ids.flatMap((id) => this.findById(id) ?? []);
  }

  findByEmail(normalisedEmail: string): User | null {
    return this.#findByIndex(this.#idByEmail.get(normalisedEmail));
  }

  findByExternalIdentity(identity: ExternalIdentity): User | null {
    return this.#findByIndex(this.#idByIdentity.get(keyOf(identity)));
  }

  list({ limit, after = "", status, email }: UserQuery): User[] {
    return this.#all()
      .filter((document) => document.id > after && document.status !== "deleted" && !document.isClient)
      .filter((document) => status === undefined || document.status === status)
      .filter((document) => email === undefined || document.email === email)
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      .slice(0, limit)
      .map(userOf);
  }

  listStates({ after = "", limit }: { after?: string; limit: number }): IdentifiedState[] {
    return this.#all()
      .filter(({ id }) => id > after)
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      .slice(0, limit)
      .map(stateOf);
  }

  hasAdministrator(): boolean {
    return this.#all().some(({ status, roles }) => status === "active" && roles.includes("admin"));
  }

  hasOtherAdministrator(id: string): boolean {
    return this.#all().some((one) => one.id !== id && one.status === "active" && one.roles.includes("admin"));
  }

  raiseRevision(id: string): void {
    const document = this.#documents.get(id);
    if (document !== undefined) this.#put({ ...document, revision: document.revision + 1 });
  }

  change(id: string, change: StateChange): User | null {
    const { from, revision, to, changedAtMs = to.statusChangedAtMs, event } = change;
    const document = this.#documents.get(id);
    if (
      (revision !== undefined && document?.revision !== revision) ||
      document?.status !== from.status ||
      document.epoch !== from.epoch ||
      document.statusChangedAtMs !== from.statusChangedAtMs ||
      document.epochRaisedAtMs !== from.epochRaisedAtMs
    ) {
      return null;
    }
    if (to.status === "deleted") {
      this.#forgetNames(document);
      this.#tombstonesAtMs.set(id, changedAtMs);
    }
    const outbox = event === undefined ? document.outbox : [...document.outbox, event];
    const changed = { ...userAfterChange(document, change), outbox };
    this.#put(changed);
    return userOf(changed);
  }

  changeMany(changes: readonly UserChangeRequest[]): (User | null)[] {
    return changes.map(({ id, change }) => this.change(id, change));
  }

  appendEvent(id: string, event: QuashEvent): boolean {
    const document = this.#documents.get(id);
    if (document === undefined) return false;
    if (document.outbox.some(({ id }) => id === event.id)) return true;
    this.#put({ ...document, outbox: [...document.outbox, event] });
    return true;
  }

  listOutbox(limit: number): OutboxEntry[] {
    return this.#allWaiting()
      .flatMap(({ id, outbox }) => outbox.map((event) => ({ userId: id, event })))
      .slice(0, limit);
  }

  findOutboxEvent(eventId: string): OutboxEntry | null {
    for (const { id, outbox } of this.#allWaiting()) {
      const event = outbox.find((waiting) => waiting.id === eventId);
      if (event !== undefined) return { userId: id, event };
    }
    return null;
  }

  removeFromOutbox(userId: string, eventId: string): void {
    const document = this.#documents.get(userId);
    if (document === undefined) return;
    this.#put({ ...document, outbox: document.outbox.filter(({ id }) => id !== eventId) });
  }

  countOutbox(): number {
    return this.#allWaiting().reduce((count, { outbox }) => count + outbox.length, 0);
  }

  keepDeactivation(userId: string, deactivation: KeptDeactivation): void {
    const document = this.#documents.get(userId);
    if (document?.lastDeactivation?.eventId !== deactivation.eventId) return;
    this.#put({ ...document, lastDeactivation: deactivation });
  }

  purgeTombstones(madeBeforeMs: number, limit: number, spared: readonly string[] = []): number {
    const gone = [...this.#tombstonesAtMs]
      .filter(([id, madeAtMs]) => madeAtMs < madeBeforeMs && !spared.includes(id) && !this.#waiting.has(id))
      .slice(0, limit);
    for (const [id] of gone) {
      this.#documents.delete(id);
      this.#tombstonesAtMs.delete(id);
    }
    return gone.length;
  }

  #put(document: UserDocument): void {
    this.#documents.set(document.id, document);
    if (document.outbox.length > 0) this.#waiting.add(document.id);
    else this.#waiting.delete(document.id);
  }

  #forgetNames({ email, externalIds }: UserDocument): void {
    this.#idByEmail.delete(email);
    for (const identity of externalIds) this.#idByIdentity.delete(keyOf(identity));
  }

  #findByIndex(id: string | undefined): User | null {
    return id === undefined ? null : this.findById(id);
  }

  #allWaiting(): UserDocument[] {
    return [...this.#waiting].flatMap((id) => this.#documents.get(id) ?? []);
  }

  #all(): UserDocument[] {
    return [...this.#documents.values()];
  }
}

function keyOf({ iss, sub }: ExternalIdentity): string {
  return JSON.stringify([iss, sub]);
}

function userOf({ outbox, ...document }: UserDocument): User {
  return { ...document, outboxLength: outbox.length };
}

function stateOf({ id, status, epoch, statusChangedAtMs, epochRaisedAtMs }: UserDocument): IdentifiedState {
  return { id, status, epoch, statusChangedAtMs, epochRaisedAtMs };
}

function userOrNull(document: UserDocument | undefined): User | null {
  return document === undefined ? null : userOf(document);
}
