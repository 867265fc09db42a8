import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { dependencyUnavailable } from "../../shared/errors.ts";
import { createRecordingLog } from "../support/recording-log.ts";
import {
  createWorkerWorld,
  intercept,
  tokenLifetimeSeconds,
  type WorkerWorld,
} from "../support/worker-world.ts";

describe("revoker: own events", () => {
  let world: WorkerWorld;
  beforeEach(async () => {
    world = await createWorkerWorld();
  });
  afterEach(() => world.close());

  it("writes a deactivation's cut-off and the ids of the tokens below its epoch, and notes the row", async () => {
    await world.start();
    const user = await world.addUser();
    const old = await world.addToken(user.id);
    const fresh = await world.addToken(user.id, { epoch: 1 });
    const event = await world.changeUser(user.id, "user.deactivated");
    await world.publish(event);

    expect(await world.cutOffOf(user.id)).to.include({ epoch: 1, notBefore: 0 });
    expect(await world.isTokenRevoked(old)).to.equal(true);
    expect(await world.isTokenRevoked(fresh)).to.equal(false);
    const row = await world.rowOf(event);
    const state = await world.store.readState();
    expect(row).to.include({ status: "applied", epoch: 1, tokensRevoked: 1, incarnation: state.incarnation });
    expect(row?.position).to.equal(state.head);
    expect(world.logServer.lag).to.equal(0);
  });

  it("warns once of what is away, however many events of a batch wait for it", async () => {
    const log = createRecordingLog();
    const told = await createWorkerWorld({ log });
    // A store that is prepared: until then it is missing, too.
    await told.start();
    await told.close();
    const parts = told.connectParts();
    const backAtMs = told.platform.clock.monotonicMs() + 1_500;
    const ledger = intercept(parts.database.ledger, "findMany", () => {
      const isAway = told.platform.clock.monotonicMs() < backAtMs;
      if (isAway) throw dependencyUnavailable("mongodb", new Error("away"));
    });
    const events = Array.from({ length: 40 }, (_, n) =>
      told.ownEvent("user.signed-out", `u${n}`, { epoch: 1 }),
    );
    await told.publish(...events);
    let batches = 0;
    const startConsumer: typeof parts.eventLog.startConsumer = (options) =>
      parts.eventLog.startConsumer({
        ...options,
        handleBatch(batch) {
          batches += 1;
          return options.handleBatch(batch);
        },
      });
    const eventLog = { ...parts.eventLog, startConsumer };
    await told.start({ database: { ...parts.database, ledger }, eventLog });
    await told.platform.advance(5_000);
    for (const event of events) expect((await told.rowOf(event))?.appliedAtMs).to.be.a("number");
    const levels = log.logged("revoker.retrying").map((line) => /"level":"(\w+)"/.exec(line)?.[1]);
    expect(levels.length).to.be.at.least(events.length);
    expect(batches).to.be.at.most(events.length / 2);
    expect(levels.filter((level) => level === "warn").length).to.be.within(1, batches);
    await told.close();
  });

  it("changes nobody for an own event", async () => {
    await world.start();
    const user = await world.addUser();
    await world.publish(world.ownEvent("user.deactivated", user.id, { epoch: 7 }));
    expect(await world.database.users.findById(user.id)).to.include({ status: "active", epoch: 0 });
    expect(await world.cutOffOf(user.id)).to.include({ epoch: 7 });
  });

  it("keeps a cut-off as long as the longest-lived recorded token of its subject", async () => {
    await world.start();
    const user = await world.addUser();
    const expiresInMs = 10 * tokenLifetimeSeconds * 1_000;
    await world.addToken(user.id, { expiresInMs });
    const untilMs = world.platform.clock.wallMs() + expiresInMs;
    const event = await world.changeUser(user.id, "user.deactivated");
    await world.publish(event);
    expect((await world.cutOffOf(user.id))?.until).to.be.at.least(Math.floor(untilMs / 1_000));
    expect((await world.rowOf(event))?.untilMs).to.be.at.least(untilMs);
  });

  it("revokes a session's tokens and the one named, and cuts nothing off", async () => {
    await world.start();
    const user = await world.addUser();
    const sid = world.platform.ids.uuid();
    const [first, second] = [await world.addToken(user.id, { sid }), await world.addToken(user.id, { sid })];
    const other = await world.addToken(user.id);
    const event = world.ownEvent("user.signed-out", user.id, { sid, jti: first });
    await world.publish(event);
    expect(await world.isTokenRevoked(first)).to.equal(true);
    expect(await world.isTokenRevoked(second)).to.equal(true);
    expect(await world.isTokenRevoked(other)).to.equal(false);
    expect(await world.cutOffOf(user.id)).to.equal(undefined);
    expect(await world.rowOf(event)).to.include({ status: "applied", tokensRevoked: 2 });
  });

  it("takes a token's recorded expiry, whatever the event says", async () => {
    await world.start();
    const user = await world.addUser();
    const jti = await world.addToken(user.id);
    const recorded = await world.database.sessions.findToken(jti);
    const exp = Math.floor(world.platform.clock.wallMs() / 1_000) + 5;
    await world.publish(world.event("token.revoked", { details: { jti, exp } }));
    const token = world.names.fingerprint(world.names.ownIssuer, jti);
    const found = (await world.contents()).filter((added) => added.kind === "token" && added.token === token);
    expect(found).to.deep.equal([
      { kind: "token", token, exp: Math.ceil((recorded?.expiresAtMs ?? 0) / 1_000) },
    ]);
  });

  it("puts a token that is not recorded into the side bucket, under the issuer that the event names", async () => {
    await world.start();
    const external = { iss: "https://elsewhere.test", sub: "someone" };
    const event = world.event("token.revoked", { details: { jti: "t-1", external } });
    await world.publish(event);
    const token = world.names.fingerprint(external.iss, "t-1");
    const found = (await world.contents()).find((added) => added.kind === "unrecorded-token");
    expect(found).to.include({ token });
    expect(await world.rowOf(event)).to.include({ status: "applied", unrecorded: true });
  });

  it("marks a great many tokens in bounded steps", async () => {
    const limits: unknown[] = [];
    const parts = world.connectParts();
    const ledger = intercept(parts.database.ledger, "markTokens", (...args) => limits.push(args[2]));
    await world.start({ database: { ...parts.database, ledger } });
    const user = await world.addUser();
    for (let count = 0; count < 2_500; count += 1) await world.addToken(user.id);
    const event = await world.changeUser(user.id, "user.deactivated");
    await world.publish(event);
    await world.platform.advance(100);
    expect(limits).to.deep.equal(Array<number>(7).fill(400));
    expect(await world.rowOf(event)).to.include({ tokensRevoked: 2_500 });
  });

  it("brings own cut-offs to the store while MongoDB is away, commits nothing, and goes on when it is back", async () => {
    await world.start();
    const user = await world.addUser();
    const event = world.ownEvent("user.deactivated", user.id, { epoch: 1 });
    world.databaseServer.setAvailable(false);
    await world.publish(event);
    await world.platform.advance(10_000);
    expect(await world.cutOffOf(user.id)).to.include({ epoch: 1 });
    expect(world.logServer.lag).to.equal(1);
    expect(world.deadLetterReasons()).to.deep.equal([]);

    world.databaseServer.setAvailable(true);
    await world.platform.advance(5_000);
    expect((await world.rowOf(event))?.appliedAtMs).to.be.a("number");
    expect(world.logServer.lag).to.equal(0);
  });

  it("brings the whole batch's cut-offs to the store first, also those that wait behind another event", async () => {
    await world.start();
    const user = await world.addUser();
    world.databaseServer.setAvailable(false);
    const events = [1, 2].map((epoch) => world.ownEvent("user.signed-out", user.id, { epoch }));
    await world.publish(...events);
    expect(await world.cutOffOf(user.id)).to.include({ epoch: 2 });
  });

  it("writes no dead letter while Redis is away, and commits nothing", async () => {
    await world.start();
    const user = await world.addUser();
    const event = world.ownEvent("user.deactivated", user.id, { epoch: 1 });
    world.storeServer.setAvailable(false);
    await world.publish(event);
    await world.platform.advance(30_000);
    expect(world.logServer.lag).to.equal(1);
    expect(world.deadLetterReasons()).to.deep.equal([]);
    world.storeServer.setAvailable(true);
    await world.platform.advance(5_000);
    expect((await world.rowOf(event))?.appliedAtMs).to.be.a("number");
    expect(world.logServer.lag).to.equal(0);
  });

  it("keeps the order within a subject, while another subject's event waits for nobody", async () => {
    const parts = world.connectParts();
    const held = await world.addUser();
    let isHeld = true;
    const users = intercept(parts.database.users, "findById", (id) => {
      if (isHeld && id === held.id) throw dependencyUnavailable("mongodb", new Error("slow"));
    });
    await world.start({ database: { ...parts.database, users } });
    const other = await world.addUser();
    const first = world.event("user.signed-out", { subject: held.id });
    const second = world.event("user.deactivated", { subject: held.id });
    const third = world.event("user.deactivated", { subject: other.id });
    await world.publish(first, second, third);
    await world.platform.advance(3_000);
    expect((await world.rowOf(third))?.appliedAtMs).to.be.a("number");
    expect(await world.rowOf(second)).to.equal(null);
    isHeld = false;
    await world.platform.advance(3_000);
    expect(await world.rowOf(first)).to.include({ epoch: 1 });
    expect(await world.rowOf(second)).to.include({ epoch: 2 });
  });
});
