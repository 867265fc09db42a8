import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { AppError } from "../../../shared/errors.ts";
import type { User } from "../../../shared/ports/user-store.ts";
import { expectError } from "../../support/expect-error.ts";
import { alice, createWorld, type World } from "./world.ts";

describe("changeUser", () => {
  let world: World;
  let user: User;

  beforeEach(async () => {
    world = await createWorld();
    user = await world.createUser(alice);
    await world.platform.advance(1_000);
  });

  const request = (reason?: string) => ({ userId: user.id, actor: "root", reason });
  const events = async () => (await world.database.users.listOutbox(100)).map(({ event }) => event);

  it("deactivates: status, epoch and event in one write, published at once", async () => {
    const nowMs = world.platform.clock.wallMs();
    const outcome = await world.deactivate(request("left"));
    expect(outcome.user).to.include({
      status: "deactivated",
      epoch: user.epoch + 1,
      statusChangedAtMs: nowMs,
    });
    expect(await events()).to.deep.equal([
      {
        id: outcome.eventId,
        source: "/quash/test",
        type: "user.deactivated",
        subject: user.id,
        timeMs: nowMs,
        details: { reason: "left", actor: "root", epoch: user.epoch + 1 },
      },
    ]);
    expect(world.published).to.deep.equal([{ userId: user.id, event: outcome.event }]);
  });

  it("keeps the deactivation in short, and answers with it when asked again", async () => {
    const first = await world.deactivate(request("left"));
    await world.platform.advance(5_000);
    const again = await world.deactivate(request("again"));
    expect(again).to.include({ changed: false, eventId: first.eventId, event: null });
    expect(again.user.epoch).to.equal(first.user.epoch);
    expect(again.user.lastDeactivation).to.include({
      eventId: first.eventId,
      reason: "left",
      appliedAtMs: null,
    });
    expect(world.published).to.have.length(1);
  });

  it("leaves out a reason that was not given", async () => {
    const { event } = await world.deactivate(request());
    expect(event?.details).to.have.all.keys("actor", "epoch");
  });

  it("signs out: the epoch rises, the status stays", async () => {
    const { user: after, event } = await world.signOut(request());
    expect(after).to.include({ status: "active", epoch: user.epoch + 1 });
    expect(event).to.include({ type: "user.signed-out" });
    expect(event?.details).to.deep.equal({ actor: "root", epoch: user.epoch + 1 });
  });

  it("signs out a deactivated user too", async () => {
    await world.deactivate(request());
    expect((await world.signOut(request())).user).to.include({
      status: "deactivated",
      epoch: user.epoch + 2,
    });
  });

  it("reactivates without raising the epoch, and not twice", async () => {
    await world.deactivate(request());
    const { user: after } = await world.reactivate(request());
    expect(after).to.include({ status: "active", epoch: user.epoch + 1 });
    expect(await world.reactivate(request())).to.include({ changed: false, event: null });
    expect(world.published).to.have.length(2);
  });

  it("gives each change a later time than the one before, though the clock stands still", async () => {
    await world.deactivate(request());
    await world.reactivate(request());
    await world.deactivate(request());
    const times = (await events()).map(({ timeMs }) => timeMs);
    expect(times).to.deep.equal([times[0], (times[0] ?? 0) + 1, (times[0] ?? 0) + 2]);
  });

  it("deletes into a tombstone that knows no person, whom nobody finds", async () => {
    const { user: tombstone, event } = await world.remove(request());
    expect(tombstone).to.include({ status: "deleted", epoch: user.epoch + 1, email: "", passwordHash: "" });
    expect(event).to.include({ type: "user.deleted" });
    await expectError("not-found", () => world.readUsers.find(user.id));
    for (const kind of ["deactivate", "signOut", "reactivate", "remove"] as const) {
      await expectError("not-found", () => world[kind](request()));
    }
  });

  it("changes nothing for who may not any more, right before the change", async () => {
    const checkAgain = () => {
      throw new AppError("token-revoked", "This token has been revoked.");
    };
    await expectError("token-revoked", () => world.deactivate({ ...request(), checkAgain }));
    expect((await world.database.users.findById(user.id))?.status).to.equal("active");
    expect(await events()).to.deep.equal([]);
  });

  it("knows no unknown user", async () => {
    await expectError("not-found", () => world.deactivate({ ...request(), userId: "nobody" }));
  });

  it("decides anew when another change comes between its read and its write", async () => {
    world.hooks.once("before", "change", () => world.signOut(request()));
    const { user: after, event } = await world.deactivate(request());
    expect(after).to.include({ status: "deactivated", epoch: user.epoch + 2 });
    expect(event?.details.epoch).to.equal(user.epoch + 2);
    expect((await events()).map(({ details }) => details.epoch)).to.deep.equal([
      user.epoch + 1,
      user.epoch + 2,
    ]);
  });

  it("raises the epoch once when two deactivate at once, and gives both the same receipt", async () => {
    const outcomes = await Promise.all([world.deactivate(request()), world.deactivate(request())]);
    expect(new Set(outcomes.map(({ eventId }) => eventId)).size).to.equal(1);
    expect(outcomes.filter(({ changed }) => changed)).to.have.length(1);
    expect((await world.readUsers.find(user.id)).epoch).to.equal(user.epoch + 1);
  });

  it("loses none of many changes at once", async () => {
    await Promise.all(Array.from({ length: 20 }, () => world.signOut(request())));
    expect((await world.readUsers.find(user.id)).epoch).to.equal(user.epoch + 20);
    expect(new Set((await events()).map(({ details }) => details.epoch)).size).to.equal(20);
  });

  it("publishes nothing when the write failed", async () => {
    world.hooks.once("before", "change", () => Promise.reject(new Error("away")));
    const outcome = await world.deactivate(request()).catch((error: unknown) => error);
    expect(outcome).to.be.an("error");
    expect(world.published).to.deep.equal([]);
  });
});
