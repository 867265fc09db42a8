import { type AuditRequest, auditEntryOf } from "../../shared/audit/audit.ts";
import { linkRecord, noHash } from "../../shared/audit/audit-chain.ts";
import type { AuditRecord } from "../../shared/ports/audit-store.ts";

/** The records of one chain, a millisecond apart. */
export function auditChain(chain: string, requests: readonly AuditRequest[], startMs = 1_000): AuditRecord[] {
  let previous = noHash;
  return requests.map((request, index) => {
    const record = linkRecord({
      ...auditEntryOf(request),
      chain,
      seq: index + 1,
      atMs: startMs + index,
      process: "api",
      instance: "i1",
      previous,
    });
    previous = record.hash;
    return record;
  });
}
