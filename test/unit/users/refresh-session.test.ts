import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { createRefreshToken } from "../../../api/users/refresh-token.ts";
import type { TokenGrant } from "../../../api/users/token-grant.ts";
import { dependencyUnavailable } from "../../../shared/errors.ts";
import { expectError } from "../../support/expect-error.ts";
import { alice, createWorld, refreshLifetimeSeconds, type World } from "./world.ts";

describe("refreshSession", () => {
  let world: World;
  let grant: TokenGrant;

  beforeEach(async () => {
    world = await createWorld();
    await world.createUser(alice);
    grant = await world.signIn(alice);
  });

  const claims = () => world.verify(grant.accessToken);
  const change = () => ({ userId: claims().sub, actor: "root" });
  const session = () => world.database.sessions.findSession(claims().sid);

  it("gives a new pair within the same session, whose end stays where it was", async () => {
    await world.platform.advance(100_000);
    const next = await world.refresh(grant);
    expect(world.verify(next.accessToken)).to.include({ sid: claims().sid, epoch: claims().epoch });
    expect(world.verify(next.accessToken).jti).not.to.equal(claims().jti);
    expect(next.refreshToken).not.to.equal(grant.refreshToken);
    expect(next.refreshExpiresInSeconds).to.equal(refreshLifetimeSeconds - 100);
    expect((await world.refresh(next)).refreshToken).to.be.a("string");
  });

  it("reads the clock before the user", async () => {
    const readAtSeconds = world.platform.clock.wallMs() / 1000;
    world.hooks.once("before", "findById", () => world.platform.advance(30_000));
    expect(world.verify((await world.refresh(grant)).accessToken).iat).to.equal(readAtSeconds);
  });

  it("reads the clock before, session and user only after the longest lifetime in use was raised", async () => {
    const readAtSeconds = world.platform.clock.wallMs() / 1000;
    world.hooks.once("before", "prepareTokens", () => world.platform.advance(30_000));
    const next = await world.refresh(grant);
    expect(world.verify(next.accessToken).iat).to.equal(readAtSeconds);

    world.hooks.once("before", "prepareTokens", () => world.deactivate(change()));
    let recorded = 0;
    world.hooks.once("after", "recordToken", async () => void (recorded += 1));
    await expectError("refresh-token-invalid", () => world.refresh(next));
    expect(recorded).to.equal(0);
  });

  for (const text of ["", "x", "A".repeat(64), "A".repeat(107), `${"A".repeat(107)}=`, "é".repeat(107)]) {
    it(`refuses ${JSON.stringify(text.slice(0, 6))} of ${text.length} characters`, async () => {
      await expectError("refresh-token-invalid", () => world.refresh({ refreshToken: text }));
    });
  }

  it("refuses an expired session", async () => {
    await world.platform.advance(refreshLifetimeSeconds * 1000);
    await expectError("refresh-token-invalid", () => world.refresh(grant));
  });

  for (const kind of ["deactivate", "signOut", "remove"] as const) {
    it(`refuses a session from before ${kind}`, async () => {
      await world[kind](change());
      await expectError("refresh-token-invalid", () => world.refresh(grant));
    });
  }

  it("refuses a session from before a deactivation also after the reactivation", async () => {
    await world.deactivate(change());
    await world.reactivate(change());
    await expectError("refresh-token-invalid", () => world.refresh(grant));
  });

  it("ends the session when a spent token is used again, and says so", async () => {
    const next = await world.refresh(grant);
    await expectError("refresh-token-invalid", () => world.refresh(grant));
    expect(await session()).to.have.property("endedAtMs", world.platform.clock.wallMs());
    expect(world.published).to.have.length(1);
    expect(world.published[0]?.event).to.include({ type: "user.signed-out", subject: claims().sub });
    expect(world.published[0]?.event.details).to.include({ sid: claims().sid });
    await expectError("refresh-token-invalid", () => world.refresh(next));
    await expectError("refresh-token-invalid", () => world.refresh(grant));
    expect(world.published).to.have.length(1);
  });

  for (const step of ["endSession", "appendEvent"] as const) {
    it(`says so at the next try when ${step} failed, once, whichever token is used`, async () => {
      const next = await world.refresh(grant);
      world.hooks.once("before", step, () => Promise.reject(dependencyUnavailable("mongodb", null)));
      await expectError("dependency-unavailable", () => world.refresh(grant));
      expect(world.published).to.have.length(0);
      await expectError("refresh-token-invalid", () => world.refresh(grant));
      await expectError("refresh-token-invalid", () => world.refresh(next));
      expect(world.published.map(({ event }) => event.details.sid)).to.deep.equal([claims().sid]);
    });
  }

  it("says at the use of the present token that the session has ended, when a reuse failed to", async () => {
    const next = await world.refresh(grant);
    world.hooks.once("before", "appendEvent", () => Promise.reject(dependencyUnavailable("mongodb", null)));
    await expectError("dependency-unavailable", () => world.refresh(grant));
    await expectError("refresh-token-invalid", () => world.refresh(next));
    expect(world.published.map(({ event }) => event.details.sid)).to.deep.equal([claims().sid]);
  });

  it("says nothing more once the session has expired", async () => {
    await world.refresh(grant);
    await world.platform.advance(refreshLifetimeSeconds * 1000);
    await expectError("refresh-token-invalid", () => world.refresh(grant));
    expect(world.published).to.have.length(0);
  });

  it("does not let somebody end a session who knows only its id", async () => {
    const forged = createRefreshToken(claims().sid, world.platform.randomness);
    await expectError("refresh-token-invalid", () => world.refresh({ refreshToken: forged.text }));
    expect(await session()).to.have.property("endedAtMs", null);
    expect(world.published).to.have.length(0);
    await world.refresh(grant);
  });

  it("records no token for a spent one", async () => {
    await world.refresh(grant);
    let recorded = 0;
    world.hooks.once("after", "recordToken", async () => void (recorded += 1));
    await expectError("refresh-token-invalid", () => world.refresh(grant));
    expect(recorded).to.equal(0);
  });

  it("records no token for a session that has ended", async () => {
    await world.signOutSession(claims());
    let recorded = 0;
    world.hooks.once("after", "recordToken", async () => void (recorded += 1));
    await expectError("refresh-token-invalid", () => world.refresh(grant));
    expect(recorded).to.equal(0);
  });

  it("gives two refreshes with one token at most one grant, and ends the session", async () => {
    const outcomes = await Promise.allSettled([world.refresh(grant), world.refresh(grant)]);
    expect(outcomes.filter(({ status }) => status === "fulfilled").length).to.equal(1);
    expect((await session())?.endedAtMs).to.be.a("number");
    expect(world.published.map(({ event }) => event.details.sid)).to.deep.equal([claims().sid]);
  });

  it("gives nothing out when the session is signed out before the rotation, though the token is recorded", async () => {
    let recorded = 0;
    world.hooks.once("after", "recordToken", async () => void (recorded += 1));
    world.hooks.once("before", "rotate", () => world.signOutSession(claims()));
    await expectError("refresh-token-invalid", () => world.refresh(grant));
    expect(recorded).to.equal(1);
    expect(world.published).to.have.length(1);
  });

  it("has recorded its token when a sign-out comes right after the rotation", async () => {
    let foundBySignOut = 0;
    world.hooks.once("after", "rotate", async () => {
      await world.signOutSession(claims());
      const { sid } = claims();
      const nowMs = world.platform.clock.wallMs();
      foundBySignOut = await world.database.ledger.markTokens("e1", { by: "session", sid, nowMs }, 10);
    });
    await world.refresh(grant);
    expect(foundBySignOut).to.equal(2);
  });

  it("gives nothing out when the epoch is raised while the token is recorded", async () => {
    world.hooks.once("after", "recordToken", () => world.signOut(change()));
    await expectError("refresh-token-invalid", () => world.refresh(grant));
  });

  it("carries the session's epoch when the epoch is raised after the last look", async () => {
    world.hooks.once("before", "rotate", () => world.signOut(change()));
    const next = await world.refresh(grant);
    const user = await world.readUsers.find(claims().sub);
    expect(world.verify(next.accessToken).epoch).to.equal(user.epoch - 1);
  });

  it("changes nothing while too many of the user's events wait", async () => {
    await world.refresh(grant);
    await fillOutbox(world, claims().sub);
    await expectError("outbox-full", () => world.refresh(grant));
    await expectError("outbox-full", () => world.signOutSession(claims()));
    expect((await session())?.endedAtMs).to.equal(null);
    expect((await world.deactivate(change())).changed).to.equal(true);
  });
});

async function fillOutbox(world: World, userId: string): Promise<void> {
  for (let i = 0; i < 1000; i += 1) {
    const event = {
      id: `e${i}`,
      source: "/quash/test",
      type: "token.revoked",
      subject: userId,
      timeMs: i,
    } as const;
    await world.database.users.appendEvent(userId, { ...event, details: { jti: `t${i}` } });
  }
}
