import type { ReadReceipts } from "../receipts/read-receipts.ts";
import { claimsOf } from "../request-state.ts";
import type { UseCases } from "../users/create-use-cases.ts";
import type { SessionPage } from "../users/read-sessions.ts";
import { readId, readInput, readQuery } from "./input.ts";
import { ownClaimsOf } from "./own-claims.ts";
import type { AppRouter, Guards } from "./router.ts";
import { emptySchema, noQuerySchema, reasonSchema, sessionQuerySchema } from "./schemas.ts";
import { answerReceipt } from "./users.ts";

export function addSessionRoutes(
  router: AppRouter,
  guards: Guards,
  useCases: UseCases,
  receipts: ReadReceipts,
): void {
  router.get("/me/sessions", ...guards.bearer, async (ctx) => {
    const query = readQuery(ctx, sessionQuerySchema);
    const { sub, sid } = ownClaimsOf(ctx);
    const { items, nextCursor } = await useCases.readSessions({ ...query, userId: sub });
    ctx.set("cache-control", "no-store");
    ctx.body = {
      items: items.map((session) => ({ ...sessionJson(session), current: session.sid === sid })),
      next_cursor: nextCursor,
    };
  });

  router.delete("/me/sessions/:id", ...guards.bearer, async (ctx) => {
    readQuery(ctx, noQuerySchema);
    const { sub } = ownClaimsOf(ctx);
    const sid = readId(ctx, "id");
    await readInput(ctx, emptySchema);
    await useCases.endUserSession({ userId: sub, sid, actor: sub, requestId: ctx.state.requestId });
    ctx.status = 204;
  });

  router.get("/users/:id/sessions", ...guards.operator, async (ctx) => {
    const query = readQuery(ctx, sessionQuerySchema);
    const { items, nextCursor } = await useCases.readSessions({ ...query, userId: readId(ctx, "id") });
    ctx.set("cache-control", "no-store");
    ctx.body = { items: items.map(sessionJson), next_cursor: nextCursor };
  });

  router.delete("/users/:id/sessions/:sid", ...guards.operator, async (ctx) => {
    readQuery(ctx, noQuerySchema);
    const [userId, sid, actor] = [readId(ctx, "id"), readId(ctx, "sid"), claimsOf(ctx).sub];
    const { reason } = await readInput(ctx, reasonSchema);
    const { requestId } = ctx.state;
    const request = { userId, sid, actor, reason, requestId, isAdministrators: true };
    const ended = await useCases.endUserSession(request);
    answerReceipt(ctx, await receipts.ofChange(ended), 202);
  });
}

function sessionJson(session: SessionPage["items"][number]) {
  return {
    id: session.sid,
    created_at: timeText(session.createdAtMs),
    last_used_at: timeText(session.lastUsedAtMs),
    expires_at: timeText(session.endsAtMs),
    address: session.client?.address ?? null,
    agent: session.client?.agent ?? null,
  };
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
