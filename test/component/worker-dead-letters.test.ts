import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { dependencyUnavailable } from "../../shared/errors.ts";
import { encodeEvent } from "../../shared/events/encode-event.ts";
import { pendingRowOfOwnEvent } from "../../shared/revocation/pending-row.ts";
import {
  createWorkerWorld,
  intercept,
  tokenLifetimeSeconds,
  type WorkerWorld,
} from "../support/worker-world.ts";

const garbage = { key: "k", value: new TextEncoder().encode("{not json"), headers: { trace: "t-1" } };

describe("revoker: dead letters", () => {
  let world: WorkerWorld;
  beforeEach(async () => {
    world = await createWorkerWorld();
  });
  afterEach(() => world.close());

  it("sets aside what cannot be decoded, and applies the good ones around it", async () => {
    await world.start();
    const [first, second] = [await world.addUser(), await world.addUser()];
    const events = [first, second].map(({ id }) => world.ownEvent("user.deactivated", id, { epoch: 1 }));
    const [before, after] = events;
    if (before === undefined || after === undefined) throw new Error("no events");
    await world.publish(before);
    await world.eventLog.publish("events", [garbage, garbage]);
    await world.publish(after);
    expect(world.deadLetterReasons()).to.deep.equal(["not-json", "not-json"]);
    expect(world.logServer.lag).to.equal(0);
    expect(await world.rowOf(after)).to.include({ status: "applied" });
    const [letter] = world.logServer.read("dead-letters");
    expect(Buffer.from(letter?.value ?? []).toString()).to.equal("{not json");
    expect(letter?.headers).to.include.keys("trace", "dead_letter_topic", "dead_letter_offset");
  });

  it("applies a good one within a second that comes behind thirty that cannot be decoded", async () => {
    await world.start();
    const event = (changes: Record<string, unknown>) =>
      JSON.stringify({
        specversion: "1.0",
        id: "1",
        source: "/hr",
        type: "user.deactivated",
        subject: "u",
        ...changes,
      });
    const bad = [
      "",
      "{",
      "[]",
      "null",
      "\u0000",
      event({ specversion: "0.3" }),
      event({ type: "user.promoted" }),
      event({ time: "yesterday" }),
      event({ data: { jti: 7 } }),
      event({ filler: "x".repeat(5_000_000) }),
    ];
    const encode = (text: string) => ({ key: "k", value: new TextEncoder().encode(text), headers: {} });
    const appliedAfterMs: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      await world.eventLog.publish("events", bad.map(encode));
      const { id } = await world.addUser();
      const good = world.ownEvent("user.deactivated", id, { epoch: 1 });
      await world.eventLog.publish("events", [{ ...encodeEvent(good), key: "k" }]);
      await world.platform.advance(1_000);
      const row = await world.rowOf(good);
      appliedAfterMs.push((row?.appliedAtMs ?? Infinity) - good.timeMs);
    }
    expect(world.deadLetterReasons()).to.have.lengthOf(30);
    expect(Math.max(...appliedAfterMs)).to.be.below(1_000);
  });

  it("commits nothing while the dead letter cannot be written, and loses nothing", async () => {
    const parts = world.connectParts();
    let isBroken = true;
    const eventLog = intercept(parts.eventLog, "publish", (topic) => {
      if (isBroken && topic === "dead-letters") throw new Error("the topic is gone");
    });
    await world.start({ eventLog });
    await world.eventLog.publish("events", [garbage]);
    await world.platform.advance(20_000);
    expect(world.logServer.lag).to.equal(1);
    isBroken = false;
    await world.platform.advance(5_000);
    expect(world.deadLetterReasons()).to.deep.equal(["not-json"]);
    expect(world.logServer.lag).to.equal(0);
  });

  it("applies what comes with a record that cannot be decoded while no dead letter can be written", async () => {
    const parts = world.connectParts();
    let isBroken = true;
    const eventLog = intercept(parts.eventLog, "publish", (topic) => {
      if (isBroken && topic === "dead-letters") throw new Error("the topic is gone");
    });
    const user = await world.addUser();
    await world.platform.advance(1_000);
    const before = world.ownEvent("user.signed-out", user.id, { epoch: 1 });
    const after = world.event("user.deactivated", { subject: user.id });
    const records = [before, after].map((event) => ({ ...encodeEvent(event), key: garbage.key }));
    await world.eventLog.publish("events", records.toSpliced(1, 0, garbage, garbage));
    await world.start({ eventLog });
    await world.platform.advance(20_000);
    expect(await world.rowOf(before)).to.include({ epoch: 1 });
    expect((await world.rowOf(after))?.appliedAtMs).to.be.a("number");
    expect(world.logServer.lag).to.equal(3);
    isBroken = false;
    await world.platform.advance(5_000);
    expect(world.deadLetterReasons()).to.deep.equal(["not-json", "not-json"]);
    expect(world.logServer.lag).to.equal(0);
  });

  it("sets an event aside after a few attempts that fail for a reason nobody knows", async () => {
    const parts = world.connectParts();
    let attempts = 0;
    const ledger = intercept(parts.database.ledger, "markTokens", () => {
      attempts += 1;
      throw new TypeError("a bug");
    });
    await world.start({ database: { ...parts.database, ledger } });
    const user = await world.addUser();
    const event = world.ownEvent("user.deactivated", user.id, { epoch: 1 });
    await world.publish(event);
    await world.platform.advance(5_000);
    expect(world.deadLetterReasons()).to.deep.equal(["internal-error"]);
    expect(attempts).to.equal(3);
    expect(world.logServer.lag).to.equal(0);
    const untilMs = world.platform.clock.wallMs() + tokenLifetimeSeconds * 1_000;
    const row = await world.rowOf(event);
    expect(row).to.include({ status: "failed", appliedAtMs: null });
    expect(row?.untilMs).to.be.within(untilMs - 5_000, untilMs);
  });

  for (const source of ["own", "upstream"] as const) {
    it(`applies an ${source} event that was given up once it is published again`, async () => {
      const parts = world.connectParts();
      let isBroken = true;
      const ledger = intercept(parts.database.ledger, "markTokens", () => {
        if (isBroken) throw new TypeError("a bug");
      });
      await world.start({ database: { ...parts.database, ledger } });
      const user = await world.addUser();
      const jti = await world.addToken(user.id);
      await world.platform.advance(1_000);
      const upstream = () => world.event("user.deactivated", { subject: user.id });
      const event = source === "own" ? await world.changeUser(user.id, "user.deactivated") : upstream();
      await world.publish(event);
      await world.platform.advance(5_000);
      expect(await world.rowOf(event)).to.include({ status: "failed" });
      isBroken = false;
      await world.publish(event);
      await world.platform.advance(1_000);
      expect(await world.isTokenRevoked(jti)).to.equal(true);
      expect(await world.cutOffOf(user.id)).to.include({ epoch: 1 });
      const row = await world.rowOf(event);
      expect(row).to.include({ epoch: 1, tokensRevoked: 1 });
      expect(row?.appliedAtMs).to.be.a("number");
      expect(world.logServer.lag).to.equal(0);
    });
  }

  it("notes that an own event failed which cannot be decoded, once its dead letter is written", async () => {
    const parts = world.connectParts();
    let isBroken = true;
    const eventLog = intercept(parts.eventLog, "publish", (topic) => {
      if (isBroken && topic === "dead-letters") throw new Error("the topic is gone");
    });
    await world.start({ eventLog });
    const event = world.ownEvent("user.deactivated", "somebody", { epoch: -1 });
    await world.database.ledger.insertPending([pendingRowOfOwnEvent(event)]);
    await world.publish(event);
    await world.platform.advance(5_000);
    expect(await world.rowOf(event)).to.include({ status: "pending" });
    isBroken = false;
    await world.platform.advance(5_000);
    expect(world.deadLetterReasons()).to.deep.equal(["data-invalid"]);
    expect(await world.rowOf(event)).to.include({ status: "failed" });
    expect(await world.database.ledger.listPending(1)).to.deep.equal([]);
  });

  it("counts no outage as an attempt at a bug", async () => {
    const parts = world.connectParts();
    const away = dependencyUnavailable("mongodb", new Error("refused"));
    const faults: unknown[] = [away, away, away, new TypeError("a moment's"), new TypeError("a moment's")];
    const ledger = intercept(parts.database.ledger, "markTokens", () => {
      const fault = faults.shift();
      if (fault !== undefined) throw fault;
    });
    await world.start({ database: { ...parts.database, ledger } });
    const user = await world.addUser();
    const event = world.ownEvent("user.deactivated", user.id, { epoch: 1 });
    await world.publish(event);
    await world.platform.advance(5_000);
    expect(faults).to.deep.equal([]);
    expect(world.deadLetterReasons()).to.deep.equal([]);
    expect((await world.rowOf(event))?.appliedAtMs).to.be.a("number");
  });
});
