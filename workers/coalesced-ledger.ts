import type { Ledger } from "../shared/ports/ledger.ts";
import { createCoalescer } from "./coalesce.ts";

/**
 * The ledger of one worker, whose events are handled side by side: the questions and rows that each of them has are
 * joined while an earlier call is under way. What it guarantees stays as it is.
 */
export function createCoalescedLedger(ledger: Ledger): Ledger {
  const readFence = createCoalescer<void, Awaited<ReturnType<Ledger["readFence"]>>>(async (calls) => {
    const fence = await ledger.readFence();
    return calls.map(() => fence);
  });
  const find = createCoalescer<string, Awaited<ReturnType<Ledger["find"]>>>(async (eventIds) => {
    const rows = new Map((await ledger.findMany([...new Set(eventIds)])).map((row) => [row.eventId, row]));
    return eventIds.map((eventId) => rows.get(eventId) ?? null);
  });
  const insertPending = createCoalescer<Parameters<Ledger["insertPending"]>[0], undefined>(async (lists) => {
    await ledger.insertPending(lists.flat());
    return lists.map(() => undefined);
  });
  return { ...ledger, readFence, find, insertPending };
}
