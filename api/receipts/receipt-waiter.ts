import type { Log } from "../../shared/log.ts";
import type { Ledger, LedgerRow } from "../../shared/ports/ledger.ts";
import type { Timers } from "../../shared/ports/platform.ts";
import type { RevocationStore, Subscription } from "../../shared/ports/revocation-store.ts";
import type { SettleReceipts } from "../../shared/receipts/settle-receipts.ts";

/*
 * Waits until revocations are enforced by every instance.
 *
 * All who wait share one watcher, which listens to the store while anybody waits. A worker tells that a row was
 * noted: then it is read, once. An instance tells that its position changed: then the rows that are applied are
 * settled, all by one observation. Either may be lost, so that all of it is also done every second.
 */
export interface ReceiptWaiter {
  /** Resolves when the revocation is enforced, or after `timeoutMs`; never rejects for what is away. */
  waitUntilEnforced(eventId: string, timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

export interface ReceiptWaiterDeps {
  readonly store: Pick<RevocationStore, "subscribe">;
  readonly ledger: Pick<Ledger, "findMany">;
  readonly settleReceipts: SettleReceipts;
  readonly timers: Timers;
  readonly log: Log;
}

const fallbackMs = 1_000;

interface Waiting {
  readonly eventId: string;
  /** Once it is applied. */
  row: LedgerRow | null;
  readonly done: AbortController;
}

interface Watch {
  readonly subscription: Promise<Subscription>;
  readonly stop: AbortController;
}

export function createReceiptWaiter(deps: ReceiptWaiterDeps): ReceiptWaiter {
  const { store, ledger, settleReceipts, timers, log } = deps;
  const waiting = new Set<Waiting>();
  const closed = new AbortController();
  let watch: Watch | undefined;
  let unread = false;
  let checking: Promise<void> | undefined;
  let isCheckDue = false;

  function check(options: { readonly rowsMayBeNew: boolean }): void {
    if (waiting.size === 0) return;
    unread ||= options.rowsMayBeNew;
    isCheckDue = true;
    checking ??= runChecks();
  }

  async function runChecks(): Promise<void> {
    while (isCheckDue && waiting.size > 0) {
      isCheckDue = false;
      try {
        await checkOnce();
      } catch (err) {
        log.debug("receipts.not-checked", { err });
      }
    }
    // In the same turn as the last look at `isCheckDue`: what falls due from here on begins anew.
    checking = undefined;
  }

  async function checkOnce(): Promise<void> {
    if (unread) {
      unread = false;
      await readRows();
    }
    const applied = [...waiting].flatMap(({ row }) => row ?? []);
    if (applied.length === 0) return;
    const settlements = await settleReceipts(applied);
    const enforced = new Set(
      settlements.filter(({ row }) => row.status === "enforced").map(({ row }) => row.eventId),
    );
    for (const one of waiting) if (enforced.has(one.eventId)) one.done.abort();
  }

  async function readRows(): Promise<void> {
    const unknown = [...waiting].filter(({ row }) => row === null);
    const rows = await ledger.findMany(unknown.map(({ eventId }) => eventId));
    const byId = new Map(rows.map((row) => [row.eventId, row]));
    for (const one of unknown) {
      const row = byId.get(one.eventId);
      if (row?.status === "enforced" || row?.status === "failed") one.done.abort();
      if (row?.status === "applied") one.row = row;
    }
  }

  async function listen(): Promise<void> {
    watch ??= startWatch();
    try {
      await watch.subscription;
    } catch (err) {
      // The look every second goes on.
      log.debug("receipts.not-listening", { err });
    }
  }

  function startWatch(): Watch {
    const stop = new AbortController();
    void lookAgain(stop.signal);
    const subscription = store.subscribe({
      onApplied: (eventIds) => {
        const isAwaited = [...waiting].some(({ eventId }) => eventIds.includes(eventId));
        if (isAwaited) check({ rowsMayBeNew: true });
      },
      onReport: () => check({ rowsMayBeNew: false }),
      onGap: () => check({ rowsMayBeNew: true }),
    });
    return { subscription, stop };
  }

  /** What is not enforced yet may have been noted anew meanwhile, under another incarnation. */
  async function lookAgain(until: AbortSignal): Promise<void> {
    for (;;) {
      await timers.sleep(fallbackMs, until);
      if (until.aborted) return;
      for (const one of waiting) one.row = null;
      check({ rowsMayBeNew: true });
    }
  }

  return {
    async waitUntilEnforced(eventId, timeoutMs) {
      const one: Waiting = { eventId, row: null, done: new AbortController() };
      waiting.add(one);
      try {
        const until = AbortSignal.any([one.done.signal, closed.signal]);
        const timeout = timers.sleep(timeoutMs, until);
        await Promise.race([listen(), timeout]);
        check({ rowsMayBeNew: true });
        await timeout;
      } finally {
        one.done.abort();
        waiting.delete(one);
        // Nobody's answer waits for that.
        if (waiting.size === 0) void stopListening();
      }
    },
    async close() {
      closed.abort();
      await checking;
      await stopListening();
    },
  };

  async function stopListening(): Promise<void> {
    const listening = watch;
    watch = undefined;
    listening?.stop.abort();
    try {
      await (await listening?.subscription)?.close();
    } catch (err) {
      log.debug("receipts.not-listening", { err });
    }
  }
}
