import { AppError } from "../../shared/errors.ts";
import type { AuditPlace, AuditRecord, AuditStore } from "../../shared/ports/audit-store.ts";
import { readQuery } from "./input.ts";
import { uuidPattern } from "./patterns.ts";
import type { AppRouter, Guards } from "./router.ts";
import { auditQuerySchema } from "./schemas.ts";

export interface AuditRouteDeps {
  readonly auditStore: Pick<AuditStore, "list">;
}

export function addAuditRoutes(router: AppRouter, guards: Guards, { auditStore }: AuditRouteDeps): void {
  router.get("/audit", ...guards.admin, async (ctx) => {
    const { limit, cursor, event_id: eventId, from, to, ...named } = readQuery(ctx, auditQuerySchema);
    const records = await auditStore.list({
      limit: limit + 1,
      ...named,
      eventId,
      fromMs: from,
      toMs: to,
      after: cursor === undefined ? undefined : parseCursor(cursor),
    });
    const page = records.slice(0, limit);
    const last = records.length > limit ? page.at(-1) : undefined;
    ctx.set("cache-control", "no-store");
    ctx.body = { items: page.map(auditJson), next_cursor: last === undefined ? null : cursorAfter(last) };
  });
}

function auditJson(record: AuditRecord) {
  return {
    at: new Date(record.atMs).toISOString(),
    action: record.action,
    actor: record.actor,
    subject: record.subject,
    object: record.object,
    reason: record.reason,
    request_id: record.requestId,
    event_id: record.eventId,
    event_type: record.eventType,
    count: record.count,
    process: record.process,
    instance: record.instance,
    chain: record.chain,
    seq: record.seq,
    previous: record.previous,
    hash: record.hash,
  };
}

function cursorAfter({ atMs, chain, seq }: AuditPlace): string {
  return Buffer.from(`${atMs}.${chain}.${seq}`).toString("base64url");
}

function parseCursor(cursor: string): AuditPlace {
  const [time = "", chain = "", seq = ""] = Buffer.from(cursor, "base64url").toString("utf8").split(".");
  const place = { atMs: Number(time), chain, seq: Number(seq) };
  const isWhole = /^\d{1,15}$/.test(time) && uuidPattern.test(chain) && /^\d{1,12}$/.test(seq);
  if (isWhole && cursorAfter(place) === cursor) return place;
  const detail = "must be the next_cursor of an earlier answer";
  throw new AppError("validation-failed", `cursor ${detail}.`, { errors: [{ pointer: "/cursor", detail }] });
}
