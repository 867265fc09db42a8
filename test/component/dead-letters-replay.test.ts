import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { headerText } from "../../workers/dead-letters/letter.ts";
import { planReplay, replay } from "../../workers/dead-letters/replay.ts";
import { createWorkerWorld, intercept, type WorkerWorld } from "../support/worker-world.ts";

describe("revoker: a dead letter that is replayed", () => {
  let world: WorkerWorld;
  beforeEach(async () => {
    world = await createWorkerWorld();
  });
  afterEach(() => world.close());

  async function replayAll(): Promise<number> {
    const plan = await planReplay(world.eventLog, {});
    await replay({ eventLog: world.eventLog, clock: world.platform.clock }, plan);
    await world.platform.advance(1_000);
    return plan.replayed.length;
  }

  for (const source of ["own", "upstream"] as const) {
    it(`is applied once what it failed of is gone: an ${source} event`, async () => {
      const parts = world.connectParts();
      let isBroken = true;
      const ledger = intercept(parts.database.ledger, "markTokens", () => {
        if (isBroken) throw new TypeError("a bug");
      });
      await world.start({ database: { ...parts.database, ledger } });
      const user = await world.addUser();
      const jti = await world.addToken(user.id);
      await world.platform.advance(1_000);
      const event =
        source === "own"
          ? world.ownEvent("user.signed-out", user.id, { epoch: 1 })
          : world.event("user.deactivated", { subject: user.id });
      await world.publish(event);
      await world.platform.advance(5_000);
      expect(world.deadLetterReasons()).to.deep.equal(["internal-error"]);
      isBroken = false;
      expect(await replayAll()).to.equal(1);
      expect((await world.rowOf(event))?.appliedAtMs).to.be.a("number");
      expect(await world.isTokenRevoked(jti)).to.equal(true);
      expect(world.logServer.lag).to.equal(0);
    });
  }

  it("means what it meant when it was published: whoever was reactivated since stays active", async () => {
    const parts = world.connectParts();
    let isBroken = true;
    const users = intercept(parts.database.users, "findById", () => {
      if (isBroken) throw new TypeError("a bug");
    });
    await world.start({ database: { ...parts.database, users } });
    const user = await world.addUser();
    await world.platform.advance(1_000);
    const event = {
      specversion: "1.0",
      id: "e-1",
      source: "/hr",
      type: "user.deactivated",
      subject: user.id,
    };
    const value = new TextEncoder().encode(JSON.stringify(event));
    await world.eventLog.publish("events", [{ key: user.id, value, headers: {} }]);
    await world.platform.advance(5_000);
    expect(world.deadLetterReasons()).to.deep.equal(["internal-error"]);
    isBroken = false;
    await world.changeUser(user.id, "user.deactivated");
    await world.platform.advance(1_000);
    await world.changeUser(user.id, "user.reactivated");
    await world.platform.advance(60_000);
    const jti = await world.addToken(user.id, { epoch: 1 });
    expect(await replayAll()).to.equal(1);
    expect(await world.database.users.findById(user.id)).to.include({ status: "active", epoch: 1 });
    expect(await world.isTokenRevoked(jti)).to.equal(false);
  });

  it("comes back as another one, with its own place and all attempts so far, while it cannot be decoded", async () => {
    await world.start();
    await world.eventLog.publish("events", [
      { key: "k", value: new TextEncoder().encode("{not json"), headers: {} },
    ]);
    await world.platform.advance(1_000);
    expect(await replayAll()).to.equal(1);
    expect(await replayAll()).to.equal(1);
    const letters = world.logServer.read("dead-letters").filter(({ value }) => value !== null);
    const places = letters.map(({ headers }) => String(headers["dead_letter_offset"]));
    expect(new Set(places).size).to.equal(3);
    const attempts = letters.map((letter) => headerText(letter, "attempts"));
    expect(attempts).to.have.members(["1", "2", "3"]);
  });
});
