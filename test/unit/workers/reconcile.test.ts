import { expect } from "chai";
import { describe, it } from "mocha";
import { silentLog } from "../../../shared/log.ts";
import type { ReceivedEvent } from "../../../workers/revoker/received-event.ts";
import { createReconcile, type ReconcileDeps } from "../../../workers/revoker/reconcile.ts";
import { appliedRow } from "../../support/ledger-rows.ts";
import { createManualPlatform } from "../../support/manual-clock.ts";

const numbered = (count: number) => Array.from({ length: count }, (_, n) => String(n).padStart(5, "0"));

describe("making good what lost events would have brought about", () => {
  const applied: string[] = [];

  function reconcile(ports: { users?: ReconcileDeps["users"]; ledger?: Partial<ReconcileDeps["ledger"]> }) {
    applied.length = 0;
    const run = createReconcile({
      users: { listStates: () => Promise.resolve([]) },
      store: { notifyApplied: () => Promise.resolve() },
      applyEvent({ event }: ReceivedEvent) {
        applied.push(event.subject ?? "");
        return Promise.resolve("applied" as const);
      },
      clock: createManualPlatform().clock,
      namespace: "test",
      log: silentLog,
      ...ports,
      ledger: {
        list: () => Promise.resolve([]),
        listPending: () => Promise.resolve([]),
        lastExpiryMs: () => Promise.resolve(Infinity),
        readFence: () => Promise.resolve(null),
        ...ports.ledger,
      },
    });
    return run(() => Promise.resolve());
  }

  it("goes through all users, however many", async () => {
    const ids = numbered(2_001);
    const raised = ids.filter((_, n) => n % 1_000 === 0);
    let reads = 0;
    const listStates: ReconcileDeps["users"]["listStates"] = ({ limit, after = "" }) => {
      reads += 1;
      if (reads > 3) throw new Error("reads on and on");
      const page = ids.filter((id) => id > after).slice(0, limit);
      const state = { status: "active", statusChangedAtMs: 0, epochRaisedAtMs: 0 } as const;
      return Promise.resolve(page.map((id) => ({ ...state, id, epoch: raised.includes(id) ? 1 : 0 })));
    };
    expect(await reconcile({ users: { listStates } })).to.deep.equal({ pending: 0, users: 3, refused: 0 });
    expect(applied).to.deep.equal(raised);
  });

  it("goes through all rows that wait for their event, however many", async () => {
    const rows = numbered(2_001).map((eventId) =>
      appliedRow({ eventId, subject: eventId, status: "pending", appliedAtMs: null }),
    );
    let reads = 0;
    const listPending: ReconcileDeps["ledger"]["listPending"] = (limit, after) => {
      reads += 1;
      if (reads > 3) throw new Error("reads on and on");
      return Promise.resolve(rows.filter(({ eventId }) => eventId > (after?.eventId ?? "")).slice(0, limit));
    };
    expect(await reconcile({ ledger: { listPending } })).to.include({ pending: 2_001, users: 0 });
    expect(applied).to.deep.equal(rows.map(({ subject }) => subject));
  });
});
