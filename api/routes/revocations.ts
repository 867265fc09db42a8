import { AppError } from "../../shared/errors.ts";
import type { LedgerQuery, LedgerRow } from "../../shared/ports/ledger.ts";
import { receiptOfRow } from "../../shared/receipts/receipt.ts";
import type { ReadReceipts } from "../receipts/read-receipts.ts";
import { askedBy, claimsOf } from "../request-state.ts";
import type { UseCases } from "../users/create-use-cases.ts";
import { readId, readInput, readQuery } from "./input.ts";
import { uuidPattern } from "./patterns.ts";
import type { AppRouter, Guards } from "./router.ts";
import { emptySchema, noQuerySchema, reasonSchema, revocationQuerySchema } from "./schemas.ts";
import { answerReceipt } from "./users.ts";

export function addRevocationRoutes(
  router: AppRouter,
  guards: Guards,
  useCases: UseCases,
  receipts: ReadReceipts,
): void {
  router.post("/tokens/:jti/revoke", ...guards.operator, async (ctx) => {
    readQuery(ctx, noQuerySchema);
    const jti = readId(ctx, "jti");
    const { reason } = await readInput(ctx, reasonSchema);
    const revoked = await useCases.revokeToken({ jti, reason, ...askedBy(ctx) });
    answerReceipt(ctx, await receipts.ofChange(revoked), 202);
  });

  router.get("/revocations", ...guards.operator, async (ctx) => {
    const { limit, cursor, subject, jti, status } = readQuery(ctx, revocationQuerySchema);
    const { items, last } = await receipts.list({
      limit,
      ...(cursor !== undefined && { after: parseCursor(cursor) }),
      ...(subject !== undefined && { subject }),
      ...(jti !== undefined && { jti }),
      ...(status !== undefined && { status }),
    });
    ctx.body = { items, next_cursor: last && cursorAfter(last) };
  });

  router.get("/revocations/:event_id", ...guards.operator, async (ctx) => {
    readQuery(ctx, noQuerySchema);
    ctx.body = await receipts.get(readId(ctx, "event_id"));
  });

  router.post("/revocations/:event_id/confirm", ...guards.admin, async (ctx) => {
    readQuery(ctx, noQuerySchema);
    const eventId = readId(ctx, "event_id");
    await readInput(ctx, emptySchema);
    const confirmation = { by: claimsOf(ctx).sub, requestId: ctx.state.requestId };
    answerReceipt(ctx, receiptOfRow(await useCases.confirmHold(eventId, confirmation)), 202);
  });
}

type Place = NonNullable<LedgerQuery["after"]>;

function cursorAfter({ requestedAtMs, eventId }: Pick<LedgerRow, "requestedAtMs" | "eventId">): string {
  return Buffer.from(`${requestedAtMs}.${eventId}`).toString("base64url");
}

function parseCursor(cursor: string): Place {
  const [time = "", eventId = ""] = Buffer.from(cursor, "base64url").toString("utf8").split(".");
  const place = { requestedAtMs: Number(time), eventId };
  if (/^\d{1,15}$/.test(time) && uuidPattern.test(eventId) && cursorAfter(place) === cursor) return place;
  const detail = "must be the next_cursor of an earlier answer";
  throw new AppError("validation-failed", `cursor ${detail}.`, { errors: [{ pointer: "/cursor", detail }] });
}
