import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { QuashEvent } from "../../shared/events/event.ts";
import { holdsOff } from "../../shared/hold-settings.ts";
import { pendingRowOfOwnEvent } from "../../shared/revocation/pending-row.ts";
import { planReplay, replay } from "../../workers/dead-letters/replay.ts";
import { createWorkerWorld, intercept, type WorkerWorld } from "../support/worker-world.ts";

const most = 2;
const holds = { ...holdsOff, HOLD_ABOVE_USERS_PER_MINUTE: most, HOLD_EXPIRES_SECONDS: 3_600 };
const confirmation = { by: "admin", atMs: 0 };

describe("revoker: mass deactivations", () => {
  let world: WorkerWorld;
  beforeEach(async () => {
    world = await createWorkerWorld();
  });
  afterEach(() => world.close());

  const start = (changed: Partial<typeof holds> = {}) => world.start({}, { ...holds, ...changed });
  const addUsers = (count: number) => Promise.all(Array.from({ length: count }, () => world.addUser()));
  /** Nobody is there to enforce it, so that what is applied is enforced soon. */
  const stateOf = async (of: QuashEvent) => {
    const status = (await world.rowOf(of))?.status;
    return status === "enforced" ? "applied" : status;
  };
  const userOf = ({ subject = "" }: QuashEvent) => world.database.users.findById(subject);
  const idOf = async (of: QuashEvent) => (await world.rowOf(of))?.eventId ?? "";

  /** Of one source; one event for each user. */
  async function publishFor(count: number, source = "/hr", type: QuashEvent["type"] = "user.deactivated") {
    const users = await addUsers(count);
    await world.platform.advance(1_000);
    const events = users.map(({ id }) => world.event(type, { subject: id, source }));
    // One after the other: those of different users keep no order.
    for (const event of events) await world.publish(event);
    return events;
  }
  /** The one event that is held, and the time since. */
  async function holdOne(): Promise<QuashEvent> {
    const held = (await publishFor(most + 1)).at(-1);
    if (held === undefined) throw new Error("no event");
    return held;
  }
  async function replayAll(): Promise<void> {
    const plan = await planReplay(world.eventLog, {});
    await replay({ eventLog: world.eventLog, clock: world.platform.clock }, plan);
    await world.platform.advance(1_000);
  }

  it("holds those beyond the limit before their users are changed, and commits", async () => {
    await start();
    const events = await publishFor(5);

    expect(await Promise.all(events.map(stateOf))).to.deep.equal([
      "applied",
      "applied",
      "held",
      "held",
      "held",
    ]);
    for (const held of events.slice(most)) {
      expect(await userOf(held)).to.include({ status: "active", epoch: 0, lastDeactivation: null });
      expect(await world.cutOffOf(held.subject ?? "")).to.equal(undefined);
    }
    expect(world.logServer.lag).to.equal(0);
    expect(world.deadLetterReasons()).to.deep.equal([]);
  });

  it("counts over all workers, deletions and unknown users too", async () => {
    await start();
    await start();
    await publishFor(1, "/hr", "user.deleted");
    const external = { iss: "https://idp.test", sub: "a" };
    const unknown = world.event("user.deactivated", { source: "/hr", details: { external } });
    await world.publish(unknown);
    const [event] = await publishFor(1);

    expect(await stateOf(unknown)).to.equal("applied");
    expect(event && (await stateOf(event))).to.equal("held");
  });

  it("lets other sources, other events and what changes nobody go on", async () => {
    await start();
    const held = await holdOne();
    const [first] = await publishFor(1, "/payroll");
    const [signedOut] = await publishFor(1, "/hr", "user.signed-out");
    const gone = await world.addUser();
    await world.changeUser(gone.id, "user.deactivated");
    await world.platform.advance(1_000);
    const again = world.event("user.deactivated", { subject: gone.id, source: "/hr" });
    await world.publish(again);

    expect(await stateOf(held)).to.equal("held");
    for (const event of [first, signedOut, again])
      expect(event && (await stateOf(event))).to.equal("applied");
  });

  it("counts an event once that is delivered again, and keeps its verdict", async () => {
    await start();
    const [first, second, third] = await publishFor(most + 1);
    if (first === undefined || second === undefined || third === undefined) throw new Error("no events");
    await world.publish(first, third, second, first);

    expect(await Promise.all([first, second, third].map(stateOf))).to.deep.equal([
      "applied",
      "applied",
      "held",
    ]);
    const [next] = await publishFor(1, "/payroll");
    expect(next && (await stateOf(next))).to.equal("applied");
  });

  it("counts no user twice whose worker dies before the verdict stands", async () => {
    const parts = world.connectParts();
    let left = 2;
    const ledger = intercept(parts.database.ledger, "judge", () => {
      left -= 1;
      if (left >= 0) throw new TypeError("broken off");
    });
    await world.start({ database: { ...parts.database, ledger } }, holds);
    const events = await publishFor(most);
    await world.platform.advance(5_000);

    expect(await Promise.all(events.map(stateOf))).to.deep.equal(["applied", "applied"]);
  });

  it("holds nothing and changes nobody while nobody can count", async () => {
    const parts = world.connectParts();
    let isAway = true;
    const safeguards = intercept(parts.database.safeguards, "countUsers", () => {
      if (isAway) throw new TypeError("away");
    });
    await world.start({ database: { ...parts.database, safeguards } }, holds);
    const [event] = await publishFor(1);
    if (event === undefined) throw new Error("no event");
    expect(await userOf(event)).to.include({ status: "active" });

    isAway = false;
    await world.platform.advance(5_000);
    expect(await stateOf(event)).to.equal("applied");
  });

  it("lets users go again one by one a minute after the dump", async () => {
    await start();
    await holdOne();
    await world.platform.advance(61_000);
    const [event] = await publishFor(1);

    expect(event && (await stateOf(event))).to.equal("applied");
  });

  it("trusts a source with dumps where it is told to", async () => {
    await start({ HOLD_TRUSTED_SOURCES: "/sync, /hr" });
    const events = await publishFor(5);

    expect(new Set(await Promise.all(events.map(stateOf)))).to.deep.equal(new Set(["applied"]));
  });

  it("applies a confirmed one at once, by the time that it took effect", async () => {
    await start();
    const held = await holdOne();
    const jti = await world.addToken(held.subject ?? "");
    await world.platform.advance(30_000);
    await world.database.ledger.confirmHold(await idOf(held), confirmation);
    await world.platform.advance(1_500);

    expect(await stateOf(held)).to.equal("applied");
    expect(await userOf(held)).to.include({
      status: "deactivated",
      epoch: 1,
      statusChangedAtMs: held.timeMs,
    });
    expect(await world.isTokenRevoked(jti)).to.equal(true);
  });

  it("leaves a user in service who was put back into it before the confirmation", async () => {
    await start();
    const held = await holdOne();
    await world.platform.advance(1_000);
    await world.changeUser(held.subject ?? "", "user.deactivated");
    await world.platform.advance(1_000);
    await world.changeUser(held.subject ?? "", "user.reactivated");
    await world.database.ledger.confirmHold(await idOf(held), confirmation);
    await world.platform.advance(5_000);

    expect(await stateOf(held)).to.equal("applied");
    expect(await userOf(held)).to.include({ status: "active", epoch: 1 });
  });

  it("ends what nobody confirmed as a dead letter, with the user as he was", async () => {
    await start();
    const held = await holdOne();
    await world.platform.advance(3_590_000);
    expect(await stateOf(held)).to.equal("held");
    await world.platform.advance(20_000);

    expect(world.deadLetterReasons()).to.deep.equal(["hold-expired"]);
    expect(await stateOf(held)).to.equal("failed");
    expect(await userOf(held)).to.include({ status: "active", epoch: 0 });
    expect(await world.database.ledger.confirmHold(await idOf(held), confirmation)).to.equal(null);
  });

  it("ends it as a dead letter also where the worker dies between any two steps", async () => {
    const parts = world.connectParts();
    const broken = { publish: true, endHold: true };
    const eventLog = intercept(parts.eventLog, "publish", (topic) => {
      if (topic === "dead-letters" && broken.publish) throw new TypeError("broken off");
    });
    const ledger = intercept(parts.database.ledger, "endHold", () => {
      if (broken.endHold) throw new TypeError("broken off");
    });
    await world.start({ eventLog, database: { ...parts.database, ledger } }, holds);
    const held = await holdOne();
    await world.platform.advance(3_700_000);
    expect(await world.rowOf(held)).to.deep.include({ status: "held", hold: { state: "ending" } });
    broken.publish = false;
    await world.platform.advance(30_000);
    expect(await stateOf(held)).to.equal("held");
    broken.endHold = false;
    await world.platform.advance(30_000);

    expect(await stateOf(held)).to.equal("failed");
    expect(new Set(world.deadLetterReasons())).to.deep.equal(new Set(["hold-expired"]));
  });

  it("applies an expired one that is replayed", async () => {
    await start();
    const held = await holdOne();
    await world.platform.advance(3_700_000);
    await replayAll();

    expect(await stateOf(held)).to.equal("applied");
    expect(await userOf(held)).to.include({ status: "deactivated", epoch: 1 });
  });

  it("applies an expired one of ours that is replayed, under the id of its receipt", async () => {
    await start();
    const user = await world.addUser();
    await world.platform.advance(1_000);
    const { epoch, ...details } = { epoch: 1, reason: "left", actor: "admin" };
    const asked = world.ownEvent("user.deactivated", user.id, details);
    const heldUntilMs = world.platform.clock.wallMs() + 60_000;
    await world.database.ledger.judge(pendingRowOfOwnEvent(asked), { heldUntilMs });
    await world.platform.advance(70_000);
    expect(world.deadLetterReasons()).to.deep.equal(["hold-expired"]);
    await replayAll();

    expect(await world.database.ledger.find(asked.id)).to.include({
      status: "enforced",
      epoch,
      actor: "admin",
    });
    expect(await world.database.users.findById(user.id)).to.include({ status: "deactivated", epoch });
  });

  it("shows how many wait, and counts what became of them", async () => {
    await start();
    const held = await holdOne();
    await world.platform.advance(6_000);
    expect(await world.metrics.text()).to.match(/^revocation_held 1$/m);
    expect(await world.metrics.text()).to.include('revocation_holds_total{outcome="held"} 1');
    await world.platform.advance(3_700_000);

    expect(await world.metrics.text()).to.match(/^revocation_held 0$/m);
    expect(await world.metrics.text()).to.include('revocation_holds_total{outcome="expired"} 1');
    expect(await stateOf(held)).to.equal("failed");
  });

  it("neither purges nor repairs by what is held", async () => {
    await start();
    const held = await holdOne();
    const jti = await world.addToken(held.subject ?? "");
    await world.platform.advance(3_000_000);
    world.storeServer.wipe();
    await world.platform.advance(10_000);

    expect(await stateOf(held)).to.equal("held");
    expect(await world.isTokenRevoked(jti)).to.equal(false);
    expect(await world.cutOffOf(held.subject ?? "")).to.equal(undefined);
  });
});
