import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { AppError } from "../../../shared/errors.ts";
import type { QuashEvent } from "../../../shared/events/event.ts";
import { silentLog } from "../../../shared/log.ts";
import type { Ledger } from "../../../shared/ports/ledger.ts";
import { createRepair } from "../../../workers/pruner/repair.ts";
import { createApplyEvent } from "../../../workers/revoker/apply-event.ts";
import { receiveEvent } from "../../../workers/revoker/received-event.ts";
import { createWorkerWorld, intercept, namespace, type WorkerWorld } from "../../support/worker-world.ts";

const heartbeat = () => Promise.resolve();

describe("applying an event", () => {
  let world: WorkerWorld;
  let event: QuashEvent;
  let repair: () => Promise<unknown>;

  const apply = (ledger: Ledger = world.database.ledger) => {
    const { store } = world;
    const { applyEvent } = createApplyEvent({ ...world.applyDeps, ledger, store });
    return applyEvent(receiveEvent(event, { namespace }), { heartbeat });
  };
  const codeOf = (work: Promise<unknown>) =>
    work.then(
      () => null,
      (error: unknown) => (error instanceof AppError ? error.code : error),
    );

  beforeEach(async () => {
    world = await createWorkerWorld();
    const { store, platform, names } = world;
    const repairStore = createRepair({
      ledger: world.database.ledger,
      store,
      platform,
      names,
      log: silentLog,
    });
    repair = async () => (await repairStore({ asWiped: false })) === "repaired";
    await repair();
    const user = await world.addUser();
    await world.addToken(user.id);
    event = world.ownEvent("user.deactivated", user.id, { epoch: 1 });
  });

  it("is a duplicate when its row is noted under the incarnation of store and fence", async () => {
    expect(await apply()).to.equal("applied");
    expect(await apply()).to.equal("duplicate");
  });

  it("writes again, and notes again, what was noted under another incarnation", async () => {
    await apply();
    world.storeServer.wipe();
    await repair();
    expect(await apply()).to.equal("rewritten");
    const { incarnation } = await world.store.readState();
    expect(await world.rowOf(event)).to.include({ incarnation });
  });

  it("takes a new time for what it notes again, since the first note did not count", async () => {
    await apply();
    await world.platform.advance(10_000);
    world.storeServer.wipe();
    await repair();
    await apply();
    expect((await world.rowOf(event))?.appliedAtMs).to.equal(world.platform.clock.wallMs());
  });

  it("leaves the times of an enforced row as they are", async () => {
    await apply();
    const first = await world.rowOf(event);
    if (first?.incarnation == null || first.position === null) throw new Error("not noted");
    const { incarnation, position } = first;
    const enforced = { incarnation, positions: [position], enforcedAtMs: first.requestedAtMs, instances: [] };
    await world.database.ledger.noteEnforced([first.eventId], enforced);
    const before = await world.rowOf(event);
    await world.platform.advance(10_000);
    world.storeServer.wipe();
    await repair();
    expect(await apply()).to.equal("rewritten");
    expect(await world.rowOf(event)).to.deep.equal(before);
  });

  it("takes nothing for a duplicate while the fence names another incarnation than the store", async () => {
    await apply();
    await world.database.ledger.writeFence("00000000-0000-4000-8000-000000000000");
    expect(await codeOf(apply())).to.equal("store-invalid");
  });

  it("notes nothing when the incarnation changes between two of its calls", async () => {
    const ledger = intercept(world.database.ledger, "find", async () => {
      world.storeServer.wipe();
      await repair();
    });
    expect(await codeOf(apply(ledger))).to.equal("store-invalid");
    expect(await world.rowOf(event)).to.include({ status: "pending" });
  });

  it("does not count as applied when the fence changed after the row was noted", async () => {
    const ledger = intercept(world.database.ledger, "noteApplied", () =>
      world.database.ledger.writeFence("00000000-0000-4000-8000-000000000000"),
    );
    expect(await codeOf(apply(ledger))).to.equal("store-invalid");
  });

  for (const type of ["user.deactivated", "token.revoked"] as const) {
    for (const source of ["own", "upstream"] as const) {
      it(`does not count as applied when its row was purged on the way, and makes it anew (${source}, ${type})`, async () => {
        const details = { epoch: 1, jti: "t1" };
        const { subject = "" } = event;
        event =
          source === "own"
            ? world.ownEvent(type, subject, details)
            : world.event(type, { subject, details: { jti: "t1" } });
        const purging = intercept(world.database.ledger, "noteApplied", async () => {
          const { eventId = "" } = (await world.rowOf(event)) ?? {};
          await world.database.ledger.noteFailed(eventId, { untilMs: 0 });
          await world.database.ledger.removeRows([eventId], { untilBeforeMs: 1, unsettledUntilBeforeMs: 1 });
        });
        expect(await codeOf(apply(purging))).to.equal("dependency-unavailable");
        expect(await world.rowOf(event)).to.equal(null);
        expect(await apply()).to.equal("applied");
        const { incarnation } = await world.store.readState();
        expect(await world.rowOf(event)).to.include({ status: "applied", incarnation });
      });
    }
  }

  it("refuses an own event that does not say its epoch", async () => {
    event = { ...event, details: {} };
    expect(await codeOf(apply())).to.equal("event-rejected");
  });

  it("brings back by a repair alone what was noted past the head that survived", async () => {
    await apply();
    world.storeServer.failOver({ loseLast: 2 });
    expect(await world.contents()).to.deep.equal([]);
    await repair();
    expect(await world.contents()).to.have.length(2);
  });
});
