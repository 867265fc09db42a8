import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { encodeEvent } from "../../shared/events/encode-event.ts";
import type { EventType, QuashEvent } from "../../shared/events/event.ts";
import { createWorkerWorld, type WorkerWorld } from "../support/worker-world.ts";

const aheadMs = 60_000;
const weeksMs = 21 * 86_400_000;

describe("revoker: an event that was dated ahead, and is published once more after its row has gone", () => {
  let world: WorkerWorld;
  let subject: string;
  beforeEach(async () => {
    world = await createWorkerWorld();
    await world.start();
    await world.platform.advance(1_000);
    subject = (await world.addUser()).id;
    await world.platform.advance(1_000);
  });
  afterEach(() => world.close());

  const eventOf = (type: EventType, inMs: number): QuashEvent => ({
    ...world.event(type, { subject }),
    timeMs: world.platform.clock.wallMs() + inMs,
  });
  async function publish(event: QuashEvent): Promise<void> {
    await world.eventLog.publish("events", [encodeEvent(event)]);
    await world.platform.advance(1_000);
  }
  async function weeksPass(): Promise<void> {
    await world.close();
    await world.platform.advance(weeksMs);
    const rows = await world.database.ledger.list({ subject, limit: 10 });
    await world.database.ledger.removeRows(
      rows.map(({ eventId }) => eventId),
      { untilBeforeMs: Infinity, unsettledUntilBeforeMs: Infinity },
    );
    await world.start();
    await world.platform.advance(1_000);
  }
  const user = () => world.database.users.findById(subject);

  it("raises no epoch again, and hits nobody who signed in since", async () => {
    const event = eventOf("user.signed-out", aheadMs);
    await publish(event);
    await weeksPass();
    const [jti, sid] = [await world.addToken(subject, { epoch: 1 }), await world.addSession(subject, 1)];
    await publish(event);
    expect(await user()).to.include({ status: "active", epoch: 1 });
    expect(await world.isTokenRevoked(jti)).to.equal(false);
    expect((await world.database.sessions.findSession(sid))?.endedAtMs).to.equal(null);
    expect(await world.cutOffOf(subject)).to.include({ epoch: 1 });
  });

  it("raises none either when its source had sent it twice, the second time after what it names", async () => {
    const event = eventOf("credentials.changed", aheadMs);
    await publish(event);
    await world.platform.advance(2 * aheadMs);
    await publish(event);
    await weeksPass();
    await publish(event);
    await publish(event);
    expect(await user()).to.include({ status: "active", epoch: 1 });
  });

  it("does not win the tie against a later one of the same time, which it lost", async () => {
    const deactivated = eventOf("user.deactivated", aheadMs);
    await publish(deactivated);
    await world.platform.advance(2 * aheadMs);
    await publish({ ...eventOf("user.reactivated", 0), timeMs: deactivated.timeMs });
    await weeksPass();
    await publish(deactivated);
    expect(await user()).to.include({ status: "active", epoch: 1 });
  });

  it("brings nobody back who was deactivated before the time that it names", async () => {
    await publish(eventOf("user.deactivated", 0));
    const reactivated = eventOf("user.reactivated", aheadMs);
    await publish(reactivated);
    await publish(eventOf("user.deactivated", 0));
    await weeksPass();
    await publish(reactivated);
    expect(await user()).to.include({ status: "deactivated", epoch: 2 });
  });

  it("changes nobody whom it came too late for at first", async () => {
    const event = eventOf("user.signed-out", aheadMs);
    const from = await user();
    if (from === null) throw new Error("there is a user");
    const to = { ...from, epoch: 1, epochRaisedAtMs: world.platform.clock.wallMs() + 5_000 };
    await world.database.users.change(subject, { from, to });
    await publish(event);
    await weeksPass();
    await publish(event);
    expect(await user()).to.include({ status: "active", epoch: 1 });
  });

  it("leaves another one that names an earlier time than it in force", async () => {
    await publish(eventOf("user.signed-out", aheadMs));
    await publish(eventOf("user.deactivated", 0));
    expect(await user()).to.include({ status: "deactivated", epoch: 2 });
  });

  it("is kept until it comes too late anyway, and never with more than 19 others", async () => {
    for (let n = 1; n <= 25; n += 1) await publish(eventOf("user.signed-out", aheadMs + n));
    const { datedAhead = [], epoch } = (await user()) ?? {};
    expect(epoch).to.equal(25);
    expect(datedAhead).to.have.length(20);
    await world.platform.advance(2 * aheadMs);
    await publish(eventOf("user.signed-out", 0));
    expect(await user()).not.to.have.property("datedAhead");
  });
});
