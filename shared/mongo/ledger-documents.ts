import { Schema } from "mongoose";
import type { EventType, ExternalIdentity } from "../events/event.ts";
import type {
  AppliedNote,
  Fence,
  Hold,
  InstanceEnforcement,
  LedgerRow,
  PendingRow,
} from "../ports/ledger.ts";
import { parsePosition } from "../revocation/position.ts";

/** What is null in a row is missing here. */
export interface RevocationDocument {
  readonly _id: string;
  readonly type: EventType;
  readonly subject?: string;
  readonly external?: ExternalIdentity;
  readonly jti?: string;
  readonly sid?: string;
  readonly epoch?: number;
  readonly notBefore?: number;
  readonly reason?: string;
  readonly actor?: string;
  readonly source: string;
  readonly sourceEventId: string;
  readonly content?: string;
  readonly effectiveAt: Date;
  readonly requestedAt: Date;
  readonly status: LedgerRow["status"];
  readonly hold?: Hold["state"];
  readonly confirmedBy?: string;
  readonly confirmedAt?: Date;
  readonly until?: Date;
  readonly unrecorded?: boolean;
  readonly appliedAt?: Date;
  readonly incarnation?: string;
  /** Of fixed width: the order of the texts is the order of the positions. */
  readonly position?: string;
  readonly enforcedAt?: Date;
  readonly tokensRevoked: number;
  readonly instances?: readonly InstanceDocument[];
}

interface InstanceDocument {
  readonly id: string;
  readonly state: InstanceEnforcement["state"];
  readonly at?: Date;
}

export interface FenceDocument {
  readonly _id: string;
  readonly incarnation?: string;
  readonly tokenLifetimeSeconds?: number;
  readonly maxStalenessMs?: number;
  readonly longestVersion?: number;
}

const requiredText = { type: String, required: true };
const requiredTime = { type: Date, required: true };
const external = new Schema({ iss: String, sub: String }, { _id: false });
const instance = new Schema({ id: String, state: String, at: Date }, { _id: false });

export const revocationSchema = new Schema<RevocationDocument>(
  {
    _id: requiredText,
    type: requiredText,
    subject: String,
    external,
    jti: String,
    sid: String,
    epoch: Number,
    notBefore: Number,
    reason: String,
    actor: String,
    source: requiredText,
    sourceEventId: requiredText,
    content: String,
    effectiveAt: requiredTime,
    requestedAt: requiredTime,
    status: requiredText,
    hold: String,
    confirmedBy: String,
    confirmedAt: Date,
    until: Date,
    unrecorded: Boolean,
    appliedAt: Date,
    incarnation: String,
    position: String,
    enforcedAt: Date,
    tokensRevoked: { type: Number, required: true },
    instances: { type: [instance], default: undefined },
  },
  { versionKey: false },
);
revocationSchema.index({ requestedAt: -1, _id: -1 }, { name: "newest" });
revocationSchema.index({ subject: 1, requestedAt: -1, _id: -1 }, { name: "subject" });
revocationSchema.index(
  { jti: 1, requestedAt: -1, _id: -1 },
  { name: "jti", partialFilterExpression: { jti: { $exists: true } } },
);
revocationSchema.index({ status: 1, requestedAt: 1, _id: 1 }, { name: "oldest" });
revocationSchema.index({ until: 1 }, { name: "until", sparse: true });

export const fenceSchema = new Schema<FenceDocument>(
  {
    _id: requiredText,
    incarnation: String,
    tokenLifetimeSeconds: Number,
    maxStalenessMs: Number,
    longestVersion: Number,
  },
  { versionKey: false },
);

export function documentOfPendingRow(row: PendingRow): RevocationDocument {
  const { eventId, effectiveAtMs, requestedAtMs } = row;
  return {
    _id: eventId,
    type: row.type,
    ...(row.subject === null ? {} : { subject: row.subject }),
    ...(row.external === null ? {} : { external: row.external }),
    ...(row.jti === null ? {} : { jti: row.jti }),
    ...(row.sid === null ? {} : { sid: row.sid }),
    ...(row.epoch === null ? {} : { epoch: row.epoch }),
    ...(row.notBefore === null ? {} : { notBefore: row.notBefore }),
    ...(row.reason === null ? {} : { reason: row.reason }),
    ...(row.actor === null ? {} : { actor: row.actor }),
    source: row.source,
    sourceEventId: row.sourceEventId,
    ...(row.content === null ? {} : { content: row.content }),
    effectiveAt: new Date(effectiveAtMs),
    requestedAt: new Date(requestedAtMs),
    status: "pending",
    tokensRevoked: 0,
  };
}

export function rowOf({ _id: eventId, ...document }: RevocationDocument): LedgerRow {
  return {
    eventId,
    type: document.type,
    subject: document.subject ?? null,
    external: document.external ?? null,
    jti: document.jti ?? null,
    sid: document.sid ?? null,
    epoch: document.epoch ?? null,
    notBefore: document.notBefore ?? null,
    reason: document.reason ?? null,
    actor: document.actor ?? null,
    source: document.source,
    sourceEventId: document.sourceEventId,
    content: document.content ?? null,
    effectiveAtMs: document.effectiveAt.getTime(),
    requestedAtMs: document.requestedAt.getTime(),
    status: document.status,
    hold: holdOf(document),
    untilMs: document.until?.getTime() ?? null,
    unrecorded: document.unrecorded ?? false,
    appliedAtMs: document.appliedAt?.getTime() ?? null,
    incarnation: document.incarnation ?? null,
    position: document.position === undefined ? null : parsePosition(document.position),
    enforcedAtMs: document.enforcedAt?.getTime() ?? null,
    tokensRevoked: document.tokensRevoked,
    instances: (document.instances ?? []).map(({ id, state, at }) => ({
      id,
      state,
      atMs: at?.getTime() ?? null,
    })),
  };
}

function holdOf({
  hold: state,
  confirmedBy: by = "",
  confirmedAt,
}: Omit<RevocationDocument, "_id">): Hold | null {
  if (state === undefined) return null;
  return state === "confirmed" ? { state, by, atMs: confirmedAt?.getTime() ?? 0 } : { state };
}

export function documentOfInstance({ id, state, atMs }: InstanceEnforcement): InstanceDocument {
  return atMs === null ? { id, state } : { id, state, at: new Date(atMs) };
}

/** Where the row was written to: replaced by a later place only. */
export function placeOf({ incarnation, position, appliedAtMs }: AppliedNote) {
  return { status: "applied" as const, incarnation, position, appliedAt: new Date(appliedAtMs) };
}

/** What only ever grows, whoever notes it and in whatever order. */
export function reachOf(note: AppliedNote) {
  return {
    until: new Date(note.untilMs),
    tokensRevoked: note.tokensRevoked,
    ...(note.epoch === null ? {} : { epoch: note.epoch }),
    ...(note.notBefore === null ? {} : { notBefore: note.notBefore }),
    ...(note.unrecorded ? { unrecorded: true } : {}),
  };
}

export function fenceOf(document: FenceDocument): Fence {
  const {
    incarnation = null,
    tokenLifetimeSeconds = 0,
    maxStalenessMs = 0,
    longestVersion: version = 0,
  } = document;
  return { incarnation, longest: { tokenLifetimeSeconds, maxStalenessMs, version } };
}
