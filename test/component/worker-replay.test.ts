import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { digestsOf } from "../../shared/revocation/digest.ts";
import { packAdditions } from "../../shared/revocation/packed-additions.ts";
import { createWorkerWorld, type WorkerWorld } from "../support/worker-world.ts";

const times = 100;

describe("revoker: a log that comes a hundred times", () => {
  let world: WorkerWorld;
  beforeEach(async () => {
    world = await createWorkerWorld();
    await world.start();
  });
  afterEach(() => world.close());

  /** Every kind of event, ours and others', in their order and late, of four users with tokens. */
  async function publishSome(): Promise<void> {
    const [one, two, three, four] = [
      await world.addUser(),
      await world.addUser(),
      await world.addUser(),
      await world.addUser(),
    ];
    const sid = await world.addSession(one.id);
    const jti = await world.addToken(one.id, { sid });
    for (const { id } of [one, two, three, four]) await world.addToken(id);
    await world.platform.advance(1_000);
    const nowMs = world.platform.clock.wallMs();
    await world.publish(
      world.ownEvent("token.revoked", one.id, { jti }),
      world.ownEvent("user.signed-out", one.id, { sid }),
      await world.changeUser(two.id, "user.deactivated"),
      await world.changeUser(two.id, "user.reactivated"),
      world.event("user.deactivated", { subject: three.id }),
      world.event("user.reactivated", { subject: three.id, timeMs: nowMs - 500 }),
      world.event("user.signed-out", { subject: three.id, timeMs: nowMs - 86_400_000 }),
      world.event("user.deleted", { subject: four.id }),
      world.event("token.revoked", { details: { jti: "nobody's" } }),
      world.event("user.deactivated", { details: { external: { iss: "https://idp.test", sub: "x" } } }),
    );
    await world.eventLog.publish("events", [{ key: null, value: null, headers: {} }]);
    await world.platform.advance(5_000);
  }

  async function imprint() {
    const { ledger, users } = world.database;
    const rows = await ledger.list({ limit: 1_000 });
    return {
      states: await users.listStates({ limit: 1_000 }),
      rows,
      marked: await ledger.listMarked(
        rows.map(({ eventId }) => eventId),
        { expiresAfterMs: 0, limit: 1_000 },
      ),
      digests: [...(await digestsOf([packAdditions(await world.contents())]))],
    };
  }

  it("ends each time where it ended the first time", async () => {
    await publishSome();
    const [before, records] = [await imprint(), world.logServer.read("events")];
    expect(before.rows.map(({ status }) => status))
      .to.have.lengthOf(10)
      .and.include("enforced");
    for (let time = 0; time < times; time += 1) {
      for (const { key, value, headers } of records) {
        await world.eventLog.publish("events", [
          { key, value, headers: headers as Record<string, Uint8Array> },
        ]);
      }
      await world.platform.advance(300);
    }
    await world.platform.advance(5_000);
    expect(world.logServer.lag).to.equal(0);
    expect(await imprint()).to.deep.equal(before);
  });
});
