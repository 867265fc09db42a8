import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { createReceiptWaiter, type ReceiptWaiter } from "../../../api/receipts/receipt-waiter.ts";
import { dependencyUnavailable } from "../../../shared/errors.ts";
import { silentLog } from "../../../shared/log.ts";
import type { LedgerRow } from "../../../shared/ports/ledger.ts";
import type { StoreListener } from "../../../shared/ports/revocation-store.ts";
import { appliedRow } from "../../support/ledger-rows.ts";
import { createManualPlatform, type ManualPlatform } from "../../support/manual-clock.ts";

const row = (eventId: string, status: LedgerRow["status"]) => appliedRow({ eventId, status });

describe("waiting for receipts", () => {
  let platform: ManualPlatform;
  let waiter: ReceiptWaiter;
  let rows: Map<string, LedgerRow["status"]>;
  let enforced: Set<string>;
  let listeners: Set<StoreListener>;
  let subscriptions: number;
  let reads: string[][];
  let settled: string[][];
  let subscribe: (listener: StoreListener) => Promise<{ close(): Promise<void> }>;
  let beforeRead: () => Promise<void>;

  beforeEach(() => {
    platform = createManualPlatform();
    rows = new Map();
    enforced = new Set();
    listeners = new Set();
    subscriptions = 0;
    reads = [];
    settled = [];
    beforeRead = () => Promise.resolve();
    subscribe = async (listener) => {
      subscriptions += 1;
      listeners.add(listener);
      return { close: async () => void listeners.delete(listener) };
    };
    waiter = createReceiptWaiter({
      store: { subscribe: (listener) => subscribe(listener) },
      ledger: {
        async findMany(ids) {
          reads.push([...ids]);
          await beforeRead();
          return ids.flatMap((id) => {
            const status = rows.get(id);
            return status === undefined ? [] : [row(id, status)];
          });
        },
      },
      async settleReceipts(given) {
        settled.push(given.map(({ eventId }) => eventId));
        return given.map((one) => ({
          row: enforced.has(one.eventId) ? row(one.eventId, "enforced") : one,
          instances: [],
        }));
      },
      timers: platform.timers,
      log: silentLog,
    });
  });

  const waitFor = (eventId: string, timeoutMs = 5_000) => {
    const progress = { isDone: false };
    void waiter.waitUntilEnforced(eventId, timeoutMs).finally(() => {
      progress.isDone = true;
    });
    return progress;
  };
  const tell = async (act: (listener: StoreListener) => void) => {
    for (const listener of listeners) act(listener);
    await platform.settle();
  };

  it("ends at once for what is enforced already", async () => {
    rows.set("a", "enforced");
    const waiting = waitFor("a");
    await platform.settle();
    expect([waiting.isDone, listeners.size]).to.deep.equal([true, 0]);
  });

  it("ends for what has become a dead letter", async () => {
    rows.set("a", "pending");
    const waiting = waitFor("a");
    await platform.settle();
    rows.set("a", "failed");
    await platform.advance(1_000);
    expect([waiting.isDone, listeners.size]).to.deep.equal([true, 0]);
  });

  it("ends when a worker has noted the row and the last instance has reported, with one read of the row", async () => {
    rows.set("a", "pending");
    const waiting = waitFor("a");
    await platform.settle();
    expect(settled).to.deep.equal([]);

    rows.set("a", "applied");
    await tell((listener) => listener.onApplied?.(["a"]));
    expect([waiting.isDone, settled, reads.length]).to.deep.equal([false, [["a"]], 2]);

    enforced.add("a");
    await tell((listener) => listener.onReport?.("instance"));
    expect([waiting.isDone, reads.length, listeners.size]).to.deep.equal([true, 2, 0]);
  });

  it("does not read for what nobody waits for", async () => {
    waitFor("a");
    await platform.settle();
    await tell((listener) => listener.onApplied?.(["b"]));
    expect(reads).to.deep.equal([["a"]]);
  });

  it("looks again every second, whatever it is not told", async () => {
    const waiting = waitFor("a");
    await platform.settle();
    rows.set("a", "applied");
    enforced.add("a");
    await platform.advance(999);
    expect(waiting.isDone).to.equal(false);
    await platform.advance(1);
    expect(waiting.isDone).to.equal(true);
  });

  it("reads rows again that were applied, since a repair may have noted them anew", async () => {
    rows.set("a", "applied");
    waitFor("a");
    await platform.settle();
    await platform.advance(2_000);
    expect(reads).to.deep.equal([["a"], ["a"], ["a"]]);
  });

  it("ends when the time is up", async () => {
    const waiting = waitFor("a", 1_500);
    await platform.advance(1_499);
    expect(waiting.isDone).to.equal(false);
    await platform.advance(1);
    expect([waiting.isDone, listeners.size]).to.deep.equal([true, 0]);
  });

  it("all who wait share one subscription, one read and one settlement, and end each by itself", async () => {
    rows.set("a", "applied").set("b", "applied");
    const [a, b] = [waitFor("a"), waitFor("b")];
    await platform.settle();
    expect([subscriptions, settled.at(-1)]).to.deep.equal([1, ["a", "b"]]);

    enforced.add("a");
    await tell((listener) => listener.onReport?.("instance"));
    expect([a.isDone, b.isDone, listeners.size]).to.deep.equal([true, false, 1]);
    enforced.add("b");
    await tell((listener) => listener.onReport?.("instance"));
    expect([b.isDone, listeners.size]).to.deep.equal([true, 0]);
  });

  it("misses nothing that it is told while it reads", async () => {
    let finish = () => {};
    beforeRead = () => new Promise((resolve) => (finish = resolve));
    const waiting = waitFor("a");
    await platform.settle();
    await tell((listener) => listener.onApplied?.(["a"]));
    beforeRead = () => Promise.resolve();
    const finishFirst = finish;
    finishFirst();
    rows.set("a", "enforced");
    await platform.settle();
    expect(waiting.isDone).to.equal(true);
  });

  it("goes on by looking while nothing can be listened to or read", async () => {
    subscribe = () => Promise.reject(dependencyUnavailable("redis", new Error("away")));
    beforeRead = () => Promise.reject(dependencyUnavailable("mongodb", new Error("away")));
    const waiting = waitFor("a");
    await platform.advance(2_500);
    expect(waiting.isDone).to.equal(false);
    beforeRead = () => Promise.resolve();
    rows.set("a", "enforced");
    await platform.advance(1_000);
    expect(waiting.isDone).to.equal(true);
  });

  it("keeps to its time though the subscription never comes about", async () => {
    subscribe = () => new Promise(() => undefined);
    const waiting = waitFor("a", 300);
    await platform.advance(300);
    expect(waiting.isDone).to.equal(true);
  });

  it("ends for all when it is closed, and waits for nothing more", async () => {
    const waiting = waitFor("a");
    await platform.settle();
    await waiter.close();
    await platform.settle();
    expect([waiting.isDone, listeners.size]).to.deep.equal([true, 0]);
    const late = waitFor("b");
    await platform.settle();
    expect([late.isDone, listeners.size]).to.deep.equal([true, 0]);
  });
});
