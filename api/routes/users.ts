import { isRetriable } from "../../shared/errors.ts";
import { type Receipt, receiptOfOwnEvent, receiptOfRow } from "../../shared/receipts/receipt.ts";
import type { ReadReceipts } from "../receipts/read-receipts.ts";
import type { ReceiptWaiter } from "../receipts/receipt-waiter.ts";
import { askedBy } from "../request-state.ts";
import type { UseCases } from "../users/create-use-cases.ts";
import { readId, readInput, readQuery } from "./input.ts";
import type { AppRouter, Guards, RouteContext } from "./router.ts";
import {
  emptySchema,
  newUserSchema,
  noQuerySchema,
  reasonSchema,
  userQuerySchema,
  waitQuerySchema,
} from "./schemas.ts";
import { userJson } from "./user-json.ts";

export interface UserRouteDeps {
  readonly receipts: ReadReceipts;
  readonly waiter: ReceiptWaiter;
}

export function addUserRoutes(
  router: AppRouter,
  guards: Guards,
  useCases: UseCases,
  { receipts, waiter }: UserRouteDeps,
): void {
  router.post("/users", ...guards.admin, async (ctx) => {
    readQuery(ctx, noQuerySchema);
    const { external_ids: externalIds, ...request } = await readInput(ctx, newUserSchema);
    const user = await useCases.createUser({ ...request, externalIds, ...askedBy(ctx) });
    ctx.status = 201;
    ctx.set("location", `/users/${user.id}`);
    ctx.body = userJson(user);
  });

  router.get("/users", ...guards.operator, async (ctx) => {
    const { items, nextCursor } = await useCases.readUsers.list(readQuery(ctx, userQuerySchema));
    ctx.body = { items: items.map(userJson), next_cursor: nextCursor };
  });

  router.get("/users/:id", ...guards.operator, async (ctx) => {
    readQuery(ctx, noQuerySchema);
    ctx.body = userJson(await useCases.readUsers.find(readId(ctx, "id")));
  });

  router.post("/users/:id/deactivate", ...guards.operator, async (ctx) => {
    const { wait, timeout_ms: timeoutMs } = readQuery(ctx, waitQuerySchema);
    const done = await useCases.deactivateUser(await readChange(ctx));
    if (done.held !== null) return answerReceipt(ctx, receiptOfRow(done.held), 202);
    const { changed, user, event } = done;
    const receipt = changed ? receiptOfOwnEvent(event) : await receipts.ofLastDeactivation(user);
    if (wait === undefined) return answerReceipt(ctx, receipt, changed ? 202 : 200);
    if (receipt.status === "enforced") return answerReceipt(ctx, receipt, 200);
    await waiter.waitUntilEnforced(receipt.event_id, timeoutMs);
    const settled = await orKnown(receipt, () =>
      changed ? receipts.get(event.id) : receipts.ofLastDeactivation(user),
    );
    // Who waits takes 200 for the proof, also when it was somebody else who deactivated the user.
    answerReceipt(ctx, settled, settled.status === "enforced" ? 200 : 202);
  });

  router.post("/users/:id/sign-out", ...guards.operator, async (ctx) => {
    readQuery(ctx, noQuerySchema);
    answerReceipt(ctx, await receipts.ofChange(await useCases.signOutUser(await readChange(ctx))), 202);
  });

  router.post("/users/:id/reactivate", ...guards.admin, async (ctx) => {
    readQuery(ctx, noQuerySchema);
    const userId = readId(ctx, "id");
    await readInput(ctx, emptySchema);
    const { user } = await useCases.reactivateUser({ userId, ...askedBy(ctx) });
    ctx.body = userJson(user);
  });

  router.delete("/users/:id", ...guards.admin, async (ctx) => {
    readQuery(ctx, noQuerySchema);
    const done = await useCases.deleteUser(await readChange(ctx));
    answerReceipt(ctx, done.held === null ? await receipts.ofChange(done) : receiptOfRow(done.held), 202);
  });
}

/** What was done is answered with what is known of it, when it cannot be read again. */
async function orKnown(known: Receipt, read: () => Promise<Receipt>): Promise<Receipt> {
  try {
    return await read();
  } catch (error) {
    if (!isRetriable(error)) throw error;
    return known;
  }
}

async function readChange(ctx: RouteContext) {
  const userId = readId(ctx, "id");
  const { reason } = await readInput(ctx, reasonSchema);
  return { userId, reason, ...askedBy(ctx) };
}

export function answerReceipt(ctx: RouteContext, receipt: Receipt, status: 200 | 202): void {
  ctx.status = status;
  ctx.set("location", `/revocations/${receipt.event_id}`);
  ctx.body = receipt;
}
