import { createHash } from "node:crypto";
import type { AuditRecord, RegisterEntry, RegisterNote } from "../ports/audit-store.ts";

/** Before the first of a chain. */
export const noHash = "0".repeat(64);

export function linkRecord(record: Omit<AuditRecord, "hash">): AuditRecord {
  return { ...record, hash: hashOfRecord(record) };
}

/** In a fixed order of members: the same whoever computes it, and from whatever the record was read. */
export function hashOfRecord(record: Omit<AuditRecord, "hash">): string {
  return sha256([
    record.previous,
    record.chain,
    record.seq,
    record.atMs,
    record.process,
    record.instance,
    record.action,
    record.actor,
    record.subject,
    record.object,
    record.reason,
    record.requestId,
    record.eventId,
    record.eventType,
    record.count,
  ]);
}

export function linkEntry(note: RegisterNote, last: RegisterEntry | null): RegisterEntry {
  const { kind, chain, seq, recordHash, atMs } = note;
  const placed = {
    kind,
    chain,
    seq,
    recordHash,
    atMs,
    place: (last?.place ?? 0) + 1,
    previous: last?.hash ?? noHash,
  };
  return { ...placed, hash: hashOfEntry(placed) };
}

export function hashOfEntry(entry: Omit<RegisterEntry, "hash">): string {
  return sha256([
    entry.previous,
    entry.place,
    entry.kind,
    entry.chain,
    entry.seq,
    entry.recordHash,
    entry.atMs,
  ]);
}

function sha256(members: readonly (string | number | null)[]): string {
  return createHash("sha256").update(JSON.stringify(members)).digest("hex");
}
