import { Schema } from "mongoose";
import type { EventDetails, EventType, ExternalIdentity, QuashEvent } from "../events/event.ts";
import type {
  DatedAhead,
  IdentifiedState,
  KeptDeactivation,
  NewUser,
  Role,
  User,
} from "../ports/user-store.ts";
import type { UserStatus } from "../revocation/user-state.ts";

export interface UserDocument {
  readonly _id: string;
  /** Missing in a tombstone, as are the password's hash, the roles and the external identities. */
  readonly email?: string;
  readonly passwordHash?: string;
  readonly roles?: readonly Role[];
  /** Missing when there are none: a unique index takes an empty list for a value. */
  readonly externalKeys?: readonly string[];
  readonly status: UserStatus;
  readonly epoch: number;
  readonly statusChangedAt: Date;
  readonly epochRaisedAt: Date;
  readonly createdAt: Date;
  /** Missing in a person. */
  readonly isClient?: true;
  /** When it became a tombstone, by the clock of whoever made it one. */
  readonly deletedAt?: Date;
  readonly outbox: readonly WaitingEvent[];
  /** Counted apart, so that a user is read without his waiting events. */
  readonly outboxLength: number;
  /** Missing until it is raised for the first time. */
  readonly revision?: number;
  readonly lastDeactivation?: DeactivationDocument;
  readonly datedAhead?: readonly DatedAheadDocument[];
}

interface DatedAheadDocument {
  readonly eventId: string;
  readonly time: Date;
  readonly changesStatus: boolean;
}

export interface WaitingEvent {
  readonly id: string;
  readonly event: EventDocument;
}

interface EventDocument {
  readonly source: string;
  readonly type: EventType;
  readonly subject?: string;
  readonly time: Date;
  /** Missing when it says nothing. */
  readonly details?: EventDetails;
}

interface DeactivationDocument {
  readonly eventId: string;
  readonly source: string;
  readonly reason?: string;
  readonly requestedAt: Date;
  readonly appliedAt?: Date;
  readonly enforcedAt?: Date;
  readonly tokensRevoked: number;
}

export const emailIndex = "email_unique";
export const externalIndex = "external_unique";

const datedAheadSchema = { eventId: String, time: Date, changesStatus: Boolean };
const deactivationSchema = {
  eventId: String,
  source: String,
  reason: String,
  requestedAt: Date,
  appliedAt: Date,
  enforcedAt: Date,
  tokensRevoked: Number,
};

export const userSchema = new Schema<UserDocument>(
  {
    _id: { type: String, required: true },
    email: String,
    passwordHash: String,
    roles: { type: [String], default: undefined },
    externalKeys: { type: [String], default: undefined },
    status: { type: String, required: true },
    epoch: { type: Number, required: true },
    statusChangedAt: { type: Date, required: true },
    epochRaisedAt: { type: Date, required: true },
    createdAt: { type: Date, required: true },
    isClient: Boolean,
    deletedAt: Date,
    outbox: [new Schema({ id: String, event: Schema.Types.Mixed }, { _id: false })],
    outboxLength: { type: Number, required: true },
    revision: Number,
    lastDeactivation: new Schema(deactivationSchema, { _id: false }),
    datedAhead: { type: [new Schema(datedAheadSchema, { _id: false })], default: undefined },
  },
  { versionKey: false },
);
userSchema.index({ email: 1 }, { name: emailIndex, unique: true, sparse: true });
userSchema.index({ externalKeys: 1 }, { name: externalIndex, unique: true, sparse: true });
userSchema.index({ "outbox.id": 1 }, { name: "outbox", sparse: true });
userSchema.index({ status: 1, _id: 1 }, { name: "status" });
// Without the status: an index that a deactivation changes makes it slower, and administrators are few.
userSchema.index({ roles: 1 }, { name: "role" });

/** One text per identity, so that a unique index holds it. */
export function externalKeyOf({ iss, sub }: ExternalIdentity): string {
  return JSON.stringify([iss, sub]);
}

function identityOf(key: string): ExternalIdentity {
  const parts: unknown = JSON.parse(key);
  if (!Array.isArray(parts) || typeof parts[0] !== "string" || typeof parts[1] !== "string") {
    throw new TypeError("not the key of an external identity");
  }
  return { iss: parts[0], sub: parts[1] };
}

export function documentOfNewUser(user: NewUser): UserDocument {
  const createdAt = new Date(user.createdAtMs);
  return {
    _id: user.id,
    email: user.email,
    passwordHash: user.passwordHash,
    roles: user.roles,
    ...(user.externalIds.length === 0 ? {} : { externalKeys: user.externalIds.map(externalKeyOf) }),
    status: "active",
    epoch: 0,
    statusChangedAt: createdAt,
    epochRaisedAt: createdAt,
    createdAt,
    ...(user.isClient === true && { isClient: true }),
    outbox: [],
    outboxLength: 0,
  };
}

type StateDocument = Pick<UserDocument, "_id" | "status" | "epoch" | "statusChangedAt" | "epochRaisedAt">;

export function stateOf({ _id: id, ...document }: StateDocument): IdentifiedState {
  return {
    id,
    status: document.status,
    epoch: document.epoch,
    statusChangedAtMs: document.statusChangedAt.getTime(),
    epochRaisedAtMs: document.epochRaisedAt.getTime(),
  };
}

export function userOf(document: Omit<UserDocument, "outbox">): User {
  return {
    ...stateOf(document),
    email: document.email ?? "",
    passwordHash: document.passwordHash ?? "",
    roles: document.roles ?? [],
    externalIds: (document.externalKeys ?? []).map(identityOf),
    createdAtMs: document.createdAt.getTime(),
    ...(document.isClient === true && { isClient: true }),
    outboxLength: document.outboxLength,
    revision: document.revision ?? 0,
    lastDeactivation: deactivationOf(document.lastDeactivation),
    ...datedAheadOf(document.datedAhead),
  };
}

function datedAheadOf(documents: UserDocument["datedAhead"] = []): Pick<User, "datedAhead"> {
  if (documents.length === 0) return {};
  return {
    datedAhead: documents.map(({ eventId, time, changesStatus }) => ({
      eventId,
      timeMs: time.getTime(),
      changesStatus,
    })),
  };
}

export function documentOfDatedAhead({ timeMs, ...event }: DatedAhead): DatedAheadDocument {
  return { ...event, time: new Date(timeMs) };
}

export function documentOfEvent({ id, source, type, subject, timeMs, details }: QuashEvent): WaitingEvent {
  const event = { source, type, time: new Date(timeMs), details };
  return { id, event: subject === undefined ? event : { ...event, subject } };
}

export function eventOf({ id, event }: WaitingEvent): QuashEvent {
  const { source, type, subject, time, details = {} } = event;
  const read = { id, source, type, timeMs: time.getTime(), details };
  return subject === undefined ? read : { ...read, subject };
}

export function documentOfDeactivation(kept: KeptDeactivation): DeactivationDocument {
  return {
    eventId: kept.eventId,
    source: kept.source,
    ...(kept.reason === null ? {} : { reason: kept.reason }),
    requestedAt: new Date(kept.requestedAtMs),
    ...(kept.appliedAtMs === null ? {} : { appliedAt: new Date(kept.appliedAtMs) }),
    ...(kept.enforcedAtMs === null ? {} : { enforcedAt: new Date(kept.enforcedAtMs) }),
    tokensRevoked: kept.tokensRevoked,
  };
}

function deactivationOf(document: DeactivationDocument | undefined): KeptDeactivation | null {
  if (document === undefined) return null;
  return {
    eventId: document.eventId,
    source: document.source,
    reason: document.reason ?? null,
    requestedAtMs: document.requestedAt.getTime(),
    appliedAtMs: document.appliedAt?.getTime() ?? null,
    enforcedAtMs: document.enforcedAt?.getTime() ?? null,
    tokensRevoked: document.tokensRevoked,
  };
}
