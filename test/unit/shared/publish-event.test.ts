import { expect } from "chai";
import { describe, it } from "mocha";
import { dependencyUnavailable } from "../../../shared/errors.ts";
import type { QuashEvent } from "../../../shared/events/event.ts";
import { createPublishEvent } from "../../../shared/outbox/publish-event.ts";

const event: QuashEvent = {
  id: "e1",
  source: "/quash/test",
  type: "user.deactivated",
  subject: "alice",
  timeMs: 0,
  details: { epoch: 1 },
};

function createStage(failing: { ledger?: boolean; log?: boolean }) {
  const done: string[] = [];
  const step = async (name: string, fails = false) => {
    await Promise.resolve();
    if (fails) throw dependencyUnavailable("kafka", new Error("away"));
    done.push(name);
  };
  const publishEvent = createPublishEvent({
    ledger: { insertPending: ([row]) => step(`pending ${row?.eventId}`, failing.ledger) },
    eventLog: { publish: (topic, [record]) => step(`${topic} ${String(record?.key)}`, failing.log) },
    users: { removeFromOutbox: (userId, eventId) => step(`removed ${userId} ${eventId}`) },
  });
  return { done, publish: () => publishEvent({ userId: "alice", event }).catch(() => done.push("failed")) };
}

describe("publishing an event", () => {
  it("takes it out of the outbox after the log and the ledger have it", async () => {
    const { done, publish } = createStage({});
    await publish();
    expect(done).to.have.members(["pending e1", "events alice", "removed alice e1"]);
    expect(done.at(-1)).to.equal("removed alice e1");
  });

  it("leaves it there when the log did not take it", async () => {
    const { done, publish } = createStage({ log: true });
    await publish();
    expect(done).to.include("failed");
    expect(done).to.not.include("removed alice e1");
  });

  it("leaves it there when the ledger has no row", async () => {
    const { done, publish } = createStage({ ledger: true });
    await publish();
    expect(done).to.include("failed");
    expect(done).to.not.include("removed alice e1");
  });
});
