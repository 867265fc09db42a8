import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { encodeEvent } from "../../shared/events/encode-event.ts";
import type { QuashEvent } from "../../shared/events/event.ts";
import type { EventRecord } from "../../shared/ports/event-log.ts";
import { receiveEvent } from "../../workers/revoker/received-event.ts";
import {
  createWorkerWorld,
  namespace,
  tokenLifetimeSeconds,
  type WorkerWorld,
} from "../support/worker-world.ts";

const dayMs = 86_400_000;

describe("revoker: sources whose clock is wrong", () => {
  let world: WorkerWorld;
  beforeEach(async () => {
    world = await createWorkerWorld();
    await world.start();
    await world.platform.advance(1_000);
  });
  afterEach(() => world.close());

  /** As another system would write it: `time` is whatever it says. */
  function recordOf(event: QuashEvent, time: unknown): EventRecord {
    const { value, ...record } = encodeEvent(event);
    const envelope = JSON.parse(Buffer.from(value ?? []).toString()) as Record<string, unknown>;
    return { ...record, value: Buffer.from(JSON.stringify({ ...envelope, time })) };
  }
  const isoOf = (aheadMs: number) => new Date(world.platform.clock.wallMs() + aheadMs).toISOString();

  const absurd: Readonly<Record<string, () => unknown>> = {
    "of 1970": () => "1970-01-01T00:00:00Z",
    "of next year": () => isoOf(365 * dayMs),
    "of milliseconds taken for seconds": () => new Date(world.platform.clock.wallMs() * 1_000).toISOString(),
    "that is a number": () => world.platform.clock.wallMs(),
  };
  for (const [which, timeOf] of Object.entries(absurd)) {
    it(`sets an event with a time ${which} aside, and applies the one behind it`, async () => {
      const user = await world.addUser();
      const jti = await world.addToken(user.id);
      await world.platform.advance(1_000);
      const wrong = recordOf(world.event("user.deactivated", { subject: user.id }), timeOf());
      const good = world.event("user.signed-out", { subject: user.id });
      await world.eventLog.publish("events", [wrong, encodeEvent(good)]);
      await world.platform.advance(1_000);
      expect(world.deadLetterReasons()).to.deep.equal(["clock-out-of-range"]);
      expect(await world.database.users.findById(user.id)).to.include({ status: "active", epoch: 1 });
      expect(await world.isTokenRevoked(jti)).to.equal(true);
      expect(world.logServer.lag).to.equal(0);
    });
  }

  it("kills what was issued within the second that a time without a fraction names", async () => {
    const user = await world.addUser();
    await world.platform.advance(1_300);
    const within = await world.addToken(user.id);
    const second = isoOf(0).replace(/\.\d+Z$/, "Z");
    await world.platform.advance(5_000);
    await world.publish(world.event("user.reactivated", { subject: user.id }));
    const event = world.event("user.deactivated", { subject: user.id });
    await world.eventLog.publish("events", [recordOf(event, second)]);
    await world.platform.advance(1_000);
    expect(await world.isTokenRevoked(within)).to.equal(true);
    expect(await world.database.users.findById(user.id)).to.include({ status: "active" });
  });

  it("counts an event from the time in its row, where the clock of the API that accepted it is ahead of the broker's", async () => {
    const user = await world.addUser();
    await world.platform.advance(1_000);
    const event = world.event("user.deactivated", { subject: user.id });
    const accepted = { ...event, timeMs: world.platform.clock.wallMs() + 500 };
    const { pendingRow } = receiveEvent(accepted, { namespace });
    await world.database.ledger.insertPending([pendingRow]);
    await world.eventLog.publish("events", [encodeEvent(accepted)]);
    await world.platform.advance(1_000);
    expect(await world.database.users.findById(user.id)).to.include({
      status: "deactivated",
      statusChangedAtMs: accepted.timeMs,
    });
  });

  it("kills nothing that is issued after an event arrived which claims to be of tomorrow", async () => {
    const user = await world.addUser();
    await world.platform.advance(1_000);
    const event = world.event("user.signed-out", { subject: user.id });
    await world.eventLog.publish("events", [recordOf(event, isoOf(dayMs - 1_000))]);
    await world.platform.advance(1_000);
    const { epoch = 0 } = (await world.database.users.findById(user.id)) ?? {};
    const since = await world.addToken(user.id, { epoch });
    await world.publish(event);
    await world.platform.advance(1_000);
    expect(epoch).to.equal(1);
    expect(await world.isTokenRevoked(since)).to.equal(false);
    expect(await world.cutOffOf(user.id)).to.include({ epoch: 1 });
  });

  it("sets aside a token whose expiry is in milliseconds, and keeps one of next year for a longest lifetime", async () => {
    const external = { iss: "https://idp.test", sub: "u-1" };
    const nowMs = world.platform.clock.wallMs();
    const [inMilliseconds, ofNextYear] = [nowMs, Math.ceil((nowMs + 365 * dayMs) / 1_000)].map((exp, n) =>
      world.event("token.revoked", { details: { jti: `t-${n}`, exp, external } }),
    );
    if (inMilliseconds === undefined || ofNextYear === undefined) throw new Error("two events were made");
    await world.publish(inMilliseconds, ofNextYear);
    await world.platform.advance(1_000);
    expect(world.deadLetterReasons()).to.deep.equal(["data-invalid"]);
    const { untilMs } = (await world.rowOf(ofNextYear)) ?? {};
    expect(untilMs).to.be.within(nowMs, nowMs + tokenLifetimeSeconds * 1_000 + 1_000);
  });
});

describe("revoker: an event that is replayed weeks later", () => {
  for (const type of ["user.deactivated", "user.signed-out"] as const) {
    it(`changes nobody, and hits nobody who signed in since (${type})`, async () => {
      const world = await createWorkerWorld();
      await world.start();
      const user = await world.addUser();
      await world.platform.advance(1_000);
      const event = world.event(type, { subject: user.id });
      await world.publish(event);
      await world.platform.advance(1_000);
      if (type === "user.deactivated") {
        await world.publish(world.event("user.reactivated", { subject: user.id }));
      }
      await world.close();
      await world.platform.advance(21 * dayMs);
      const rows = await world.database.ledger.list({ subject: user.id, limit: 10 });
      const eventIds = rows.map(({ eventId }) => eventId);
      await world.database.ledger.removeRows(eventIds, {
        untilBeforeMs: Infinity,
        unsettledUntilBeforeMs: Infinity,
      });
      const [jti, sid] = [await world.addToken(user.id, { epoch: 1 }), await world.addSession(user.id, 1)];
      await world.platform.advance(1_000);
      await world.start();
      await world.publish(event, event);
      await world.platform.advance(2_000);
      expect(await world.database.users.findById(user.id)).to.include({ status: "active", epoch: 1 });
      expect(await world.cutOffOf(user.id)).to.include({ epoch: 1 });
      expect(await world.isTokenRevoked(jti)).to.equal(false);
      expect((await world.database.sessions.findSession(sid))?.endedAtMs).to.equal(null);
      expect(world.logServer.lag).to.equal(0);
      await world.close();
    });
  }
});
