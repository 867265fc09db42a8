import { AppError } from "../errors.ts";
import type { ExternalIdentity, QuashEvent } from "../events/event.ts";
import type {
  KeptDeactivation,
  NewUser,
  OutboxEntry,
  StateChange,
  User,
  UserQuery,
} from "../ports/user-store.ts";

interface UserDocument extends Omit<User, "outboxLength"> {
  readonly outbox: readonly QuashEvent[];
}

/** Every public method is one atomic step. */
export class InProcessUsers {
  readonly #documents = new Map<string, UserDocument>();

  create(user: NewUser): User {
    for (const other of this.#documents.values()) {
      if (other.email === user.email) throw new AppError("email-taken", "Choose another e-mail address.");
      if (user.externalIds.some((identity) => hasIdentity(other, identity))) {
        throw new AppError("external-identity-taken", "Remove it from the other user first.");
      }
    }
    const document: UserDocument = {
      ...user,
      status: "active",
      epoch: 0,
      statusChangedAtMs: user.createdAtMs,
      epochRaisedAtMs: user.createdAtMs,
      outbox: [],
      lastDeactivation: null,
    };
    this.#documents.set(user.id, document);
    return userOf(document);
  }

  findById(id: string): User | null {
    return userOrNull(this.#documents.get(id));
  }

  findByEmail(normalisedEmail: string): User | null {
    if (normalisedEmail === "") return null;
    return userOrNull(this.#all().find(({ email }) => email === normalisedEmail));
  }

  findByExternalIdentity(identity: ExternalIdentity): User | null {
    return userOrNull(this.#all().find((document) => hasIdentity(document, identity)));
  }

  list({ limit, after = "", status, email }: UserQuery): User[] {
    return this.#all()
      .filter((document) => document.id > after && document.status !== "deleted")
      .filter((document) => status === undefined || document.status === status)
      .filter((document) => email === undefined || document.email === email)
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      .slice(0, limit)
      .map(userOf);
  }

  hasAdministrator(): boolean {
    return this.#all().some(({ status, roles }) => status === "active" && roles.includes("admin"));
  }

  change(id: string, { from, to, event, deactivation }: StateChange): User | null {
    const document = this.#documents.get(id);
    if (
      document?.status !== from.status ||
      document.epoch !== from.epoch ||
      document.statusChangedAtMs !== from.statusChangedAtMs ||
      document.epochRaisedAtMs !== from.epochRaisedAtMs
    ) {
      return null;
    }
    const nobody = { email: "", passwordHash: "", roles: [], externalIds: [] };
    const changed: UserDocument = {
      ...document,
      ...(to.status === "deleted" ? nobody : {}),
      status: to.status,
      epoch: to.epoch,
      statusChangedAtMs: to.statusChangedAtMs,
      epochRaisedAtMs: to.epochRaisedAtMs,
      outbox: event === undefined ? document.outbox : [...document.outbox, event],
      lastDeactivation: deactivation ?? document.lastDeactivation,
    };
    this.#documents.set(id, changed);
    return userOf(changed);
  }

  appendEvent(id: string, event: QuashEvent): boolean {
    const document = this.#documents.get(id);
    if (document === undefined) return false;
    this.#documents.set(id, { ...document, outbox: [...document.outbox, event] });
    return true;
  }

  listOutbox(limit: number): OutboxEntry[] {
    return this.#all()
      .flatMap(({ id, outbox }) => outbox.map((event) => ({ userId: id, event })))
      .slice(0, limit);
  }

  findOutboxEvent(eventId: string): OutboxEntry | null {
    for (const { id, outbox } of this.#all()) {
      const event = outbox.find((waiting) => waiting.id === eventId);
      if (event !== undefined) return { userId: id, event };
    }
    return null;
  }

  removeFromOutbox(userId: string, eventId: string): void {
    const document = this.#documents.get(userId);
    if (document === undefined) return;
    this.#documents.set(userId, { ...document, outbox: document.outbox.filter(({ id }) => id !== eventId) });
  }

  countOutbox(): number {
    return this.#all().filter(({ outbox }) => outbox.length > 0).length;
  }

  keepDeactivation(userId: string, deactivation: KeptDeactivation): void {
    const document = this.#documents.get(userId);
    if (document?.lastDeactivation?.eventId !== deactivation.eventId) return;
    this.#documents.set(userId, { ...document, lastDeactivation: deactivation });
  }

  purgeTombstones(deletedBeforeMs: number, limit: number): number {
    const gone = this.#all()
      .filter(({ status, outbox }) => status === "deleted" && outbox.length === 0)
      .filter(({ statusChangedAtMs }) => statusChangedAtMs < deletedBeforeMs)
      .slice(0, limit);
    for (const { id } of gone) this.#documents.delete(id);
    return gone.length;
  }

  #all(): UserDocument[] {
    return [...this.#documents.values()];
  }
}

function hasIdentity({ externalIds }: UserDocument, { iss, sub }: ExternalIdentity): boolean {
  return externalIds.some((identity) => identity.iss === iss && identity.sub === sub);
}

function userOf({ outbox, ...document }: UserDocument): User {
  return { ...document, outboxLength: outbox.length };
}

function userOrNull(document: UserDocument | undefined): User | null {
  return document === undefined ? null : userOf(document);
}
