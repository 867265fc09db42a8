import type { AuditAction, AuditEntry } from "../ports/audit-store.ts";

/** What was decided. Members that are left out are null; `count` is 1. */
export type AuditRequest = { readonly action: AuditAction } & {
  readonly [K in keyof Omit<AuditEntry, "action">]?: AuditEntry[K] | undefined;
};

export interface Audit {
  /** Takes note: at once, without I/O, never throws. What it cannot hold is counted, and the gap recorded. */
  readonly record: (request: AuditRequest) => void;
}

export const silentAudit: Audit = { record: () => undefined };

const maxTextLength = 1_024;

export function auditEntryOf(request: AuditRequest): AuditEntry {
  return {
    action: request.action,
    actor: textOf(request.actor),
    subject: textOf(request.subject),
    object: textOf(request.object),
    reason: textOf(request.reason),
    requestId: textOf(request.requestId),
    eventId: textOf(request.eventId),
    eventType: request.eventType ?? null,
    count: request.count ?? 1,
  };
}

/** Bounded, and without lone surrogates: the database would change them, and so the record's hash. */
function textOf(text: string | null | undefined): string | null {
  if (text === null || text === undefined) return null;
  return Buffer.from(text.slice(0, maxTextLength), "utf8").toString("utf8");
}
