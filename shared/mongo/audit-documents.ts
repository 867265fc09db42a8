import { Schema } from "mongoose";
import type { AuditRecord, ChainPlace, RegisterEntry } from "../ports/audit-store.ts";

/** What is null in a record is missing here. */
export type AuditDocument = Omit<
  AuditRecord,
  "atMs" | "actor" | "subject" | "object" | "reason" | "requestId" | "eventId" | "eventType"
> & {
  readonly _id: string;
  readonly at: Date;
  readonly actor?: string;
  readonly subject?: string;
  readonly object?: string;
  readonly reason?: string;
  readonly requestId?: string;
  readonly eventId?: string;
  readonly eventType?: AuditRecord["eventType"];
};

export type RegisterDocument = Omit<RegisterEntry, "place" | "atMs"> & {
  readonly _id: number;
  readonly at: Date;
};

const requiredText = { type: String, required: true };
const requiredNumber = { type: Number, required: true };
const requiredTime = { type: Date, required: true };

export const auditSchema = new Schema<AuditDocument>(
  {
    _id: requiredText,
    chain: requiredText,
    seq: requiredNumber,
    at: requiredTime,
    process: requiredText,
    instance: requiredText,
    action: requiredText,
    actor: String,
    subject: String,
    object: String,
    reason: String,
    requestId: String,
    eventId: String,
    eventType: String,
    count: requiredNumber,
    previous: requiredText,
    hash: requiredText,
  },
  { versionKey: false },
);
auditSchema.index({ at: -1, _id: -1 }, { name: "newest" });
auditSchema.index({ subject: 1, at: -1 }, { name: "subject" });
auditSchema.index({ actor: 1, at: -1 }, { name: "actor" });
auditSchema.index({ action: 1, at: -1 }, { name: "action" });
auditSchema.index({ eventId: 1, at: -1 }, { name: "event" });

export const registerSchema = new Schema<RegisterDocument>(
  {
    _id: requiredNumber,
    kind: requiredText,
    // Empty in the entries that are about the register itself.
    chain: String,
    seq: requiredNumber,
    recordHash: requiredText,
    at: requiredTime,
    previous: requiredText,
    hash: requiredText,
  },
  { versionKey: false },
);

export function documentOfRecord({ atMs, ...record }: AuditRecord): AuditDocument {
  const given = Object.entries(record).filter(([, value]) => value !== null);
  return {
    ...(Object.fromEntries(given) as Omit<AuditDocument, "_id" | "at">),
    _id: idOf(record),
    at: new Date(atMs),
  };
}

const seqDigits = 12;

/** Of fixed width: the order of the texts is that of the places. */
export function idOf({ chain, seq }: ChainPlace): string {
  return `${chain}.${String(seq).padStart(seqDigits, "0")}`;
}

export function recordOf(document: AuditDocument): AuditRecord {
  return {
    chain: document.chain,
    seq: document.seq,
    atMs: document.at.getTime(),
    process: document.process,
    instance: document.instance,
    action: document.action,
    actor: document.actor ?? null,
    subject: document.subject ?? null,
    object: document.object ?? null,
    reason: document.reason ?? null,
    requestId: document.requestId ?? null,
    eventId: document.eventId ?? null,
    eventType: document.eventType ?? null,
    count: document.count,
    previous: document.previous,
    hash: document.hash,
  };
}

export function documentOfEntry({ place, atMs, ...entry }: RegisterEntry): RegisterDocument {
  return { ...entry, _id: place, at: new Date(atMs) };
}

export function entryOf({ _id: place, at, ...entry }: RegisterDocument): RegisterEntry {
  const { kind, chain, seq, recordHash, previous, hash } = entry;
  return { kind, chain, seq, recordHash, previous, hash, place, atMs: at.getTime() };
}
