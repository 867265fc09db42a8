import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { holdsOff } from "../../shared/hold-settings.ts";
import { silentLog } from "../../shared/log.ts";
import type { AuditRecord } from "../../shared/ports/audit-store.ts";
import { startAuditPruner } from "../../workers/pruner/prune-audit-loop.ts";
import { auditChain } from "../support/audit-records.ts";
import { createWorkerWorld, type WorkerWorld } from "../support/worker-world.ts";

const chain = "11111111-0000-4000-8000-000000000000";
const hourMs = 3_600_000;

describe("a worker's audit", () => {
  let world: WorkerWorld;
  beforeEach(async () => {
    world = await createWorkerWorld();
  });
  afterEach(() => world.close());

  async function recorded(): Promise<AuditRecord[]> {
    await world.platform.advance(1_000);
    return world.database.audit.listByChain({ limit: 100 });
  }

  it("has an own event under its actor, once, however often it comes", async () => {
    await world.start();
    const { id } = await world.addUser();
    const event = world.ownEvent("user.deactivated", id, { epoch: 1, actor: "a1", reason: "left" });
    await world.publish(event);
    await world.publish(event);

    const records = await recorded();
    expect(records).to.have.lengthOf(1);
    const expected = {
      action: "revocation.applied",
      actor: "a1",
      subject: id,
      eventId: event.id,
      reason: "left",
    };
    expect(records[0]).to.include({ ...expected, eventType: "user.deactivated", process: "worker" });
  });

  it("has what is held once, however often it comes, and its end without a confirmation", async () => {
    await world.start({}, { ...holdsOff, HOLD_ABOVE_USERS_PER_MINUTE: 1, HOLD_EXPIRES_SECONDS: 60 });
    const people = [await world.addUser(), await world.addUser()];
    await world.platform.advance(1_000);
    for (const { id } of people) {
      const event = world.event("user.deactivated", { subject: id, source: "/hr" });
      await world.publish(event);
      await world.publish(event);
    }
    await world.platform.advance(120_000);

    const records = (await recorded()).filter(({ subject }) => subject === people[1]?.id);
    expect(records.map(({ action, actor, eventType }) => [action, actor, eventType])).to.deep.equal([
      ["event.held", "/hr", "user.deactivated"],
      ["hold.expired", null, "user.deactivated"],
    ]);
    expect(new Set(records.map(({ eventId }) => eventId)).size).to.equal(1);
  });

  it("has what was set aside, with its reason and its place, and nothing of its content", async () => {
    await world.start();
    const value = new TextEncoder().encode("{secret");
    await world.eventLog.publish("events", [{ key: "k", value, headers: {} }]);

    const records = await recorded();
    expect(records.map(({ action, reason }) => [action, reason])).to.deep.equal([
      ["event.dead-lettered", "not-json"],
    ]);
    expect(records[0]?.object).to.match(/^\d+\/\d+$/);
    expect(JSON.stringify(records)).not.to.include("secret");
  });

  it("is pruned by the retention, and not by a clock that has just stepped ahead", async () => {
    const { platform, database, metrics } = world;
    const { audit: store } = database;
    await store.append(auditChain(chain, [{ action: "user.created" }], platform.clock.wallMs()));
    const pruner = startAuditPruner({ store, retentionDays: 1, platform, log: silentLog, metrics });
    await platform.advance(3 * hourMs);
    platform.stepWall(48 * hourMs);
    await platform.advance(1_000);
    expect(await recorded()).to.have.lengthOf(1);

    platform.stepWall(-48 * hourMs);
    await platform.advance(27 * hourMs);
    expect(await recorded()).to.deep.equal([]);
    await Promise.all([pruner.close(), platform.advance(1_000)]);
  });
});
