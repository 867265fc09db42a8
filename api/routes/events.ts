import { receiptOfRow } from "../../shared/receipts/receipt.ts";
import type { AcceptEvent } from "../events/accept-event.ts";
import { readSentEvent } from "../events/event-record.ts";
import { askedBy, checkAgain } from "../request-state.ts";
import { readQuery } from "./input.ts";
import type { AppRouter, Guards } from "./router.ts";
import { noQuerySchema } from "./schemas.ts";
import { answerReceipt } from "./users.ts";

export interface EventRouteDeps {
  readonly acceptEvent: AcceptEvent;
}

export function addEventRoutes(router: AppRouter, guards: Guards, { acceptEvent }: EventRouteDeps): void {
  router.post("/events", ...guards.emitter, async (ctx) => {
    readQuery(ctx, noQuerySchema);
    const { actor, requestId } = askedBy(ctx);
    const sent = await readSentEvent(ctx.req);
    checkAgain(ctx);
    answerReceipt(ctx, receiptOfRow(await acceptEvent(sent, { actor, requestId })), 202);
  });
}
