import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { createBlacklist } from "../../api/blacklist/blacklist.ts";
import {
  createWorkerWorld,
  issuer,
  tokenLifetimeSeconds,
  type WorkerWorld,
} from "../support/worker-world.ts";

const external = { iss: "https://idp.test", sub: "u-1" };

/**
 * An event about somebody unknown stands in the ledger, and cuts off the tokens of the issuer that it names. A user
 * who is created later is as if it had come after him: his creation is the later change of his state.
 */
describe("revoker: events about somebody who is created later", () => {
  let world: WorkerWorld;
  beforeEach(async () => {
    world = await createWorkerWorld();
    await world.start();
    await world.platform.advance(1_000);
  });
  afterEach(() => world.close());

  async function isRefused(iss: string, sub: string, jti = "t-1"): Promise<boolean> {
    const { names, platform, store } = world;
    const blacklist = createBlacklist({ ...platform, ...names });
    for await (const chunk of store.load()) blacklist.apply(chunk);
    const now = Math.floor(platform.clock.wallMs() / 1_000);
    const iat = now - 10;
    return blacklist.isRevoked({ iss, sub, jti, iat, exp: now + tokenLifetimeSeconds, epoch: 0 }) !== null;
  }

  for (const type of ["user.deactivated", "user.signed-out", "user.deleted"] as const) {
    it(`revoke none of his tokens that were issued here after a ${type}, and none of his rights`, async () => {
      await world.publish(world.event(type, { details: { external } }));
      await world.platform.advance(1_000);
      const user = await world.addUser({ externalIds: [external] });
      const jti = await world.addToken(user.id);
      expect(await world.database.users.findById(user.id)).to.include({ status: "active", epoch: 0 });
      expect(await isRefused(issuer, user.id, jti)).to.equal(false);
      expect(await isRefused(external.iss, external.sub)).to.equal(true);
    });
  }

  it("stay to be found by their id, with whom they named", async () => {
    const event = world.event("user.deactivated", { details: { external, reason: "left" } });
    await world.publish(event);
    await world.addUser({ externalIds: [external] });
    await world.platform.advance(5_000);
    const row = await world.rowOf(event);
    expect(row).to.deep.include({ subject: null, external, reason: "left", type: "user.deactivated" });
    expect(row?.appliedAtMs).to.be.a("number");
  });

  for (const isRowGone of [false, true]) {
    it(`change nothing of him when they come again, their row ${isRowGone ? "gone" : "there"}`, async () => {
      const event = world.event("user.deactivated", { details: { external } });
      await world.publish(event);
      await world.platform.advance(1_000);
      const user = await world.addUser({ externalIds: [external] });
      const [jti, sid] = [await world.addToken(user.id), await world.addSession(user.id)];
      await world.platform.advance(1_000);
      const { eventId = "" } = (await world.rowOf(event)) ?? {};
      if (isRowGone)
        await world.database.ledger.removeRows([eventId], {
          untilBeforeMs: Infinity,
          unsettledUntilBeforeMs: Infinity,
        });
      await world.publish(event);
      expect(await world.database.users.findById(user.id)).to.include({ status: "active", epoch: 0 });
      expect(await world.isTokenRevoked(jti)).to.equal(false);
      expect((await world.database.sessions.findSession(sid))?.endedAtMs).to.equal(null);
    });
  }

  it("miss nothing: one of a time after his creation deactivates him", async () => {
    await world.publish(world.event("user.deactivated", { details: { external } }));
    await world.platform.advance(1_000);
    const user = await world.addUser({ externalIds: [external] });
    const jti = await world.addToken(user.id);
    await world.platform.advance(1_000);
    await world.publish(world.event("user.deactivated", { details: { external } }));
    expect(await world.database.users.findById(user.id)).to.include({ status: "deactivated", epoch: 1 });
    expect(await world.isTokenRevoked(jti)).to.equal(true);
  });

  it("cut off nobody here by time who is named by an id of ours", async () => {
    const id = world.platform.ids.uuid();
    await world.publish(world.event("user.deactivated", { subject: id }));
    await world.addUser({ id });
    expect(await isRefused(issuer, id)).to.equal(false);
  });
});
