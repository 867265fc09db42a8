import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { dependencyUnavailable } from "../../../shared/errors.ts";
import type { User } from "../../../shared/ports/user-store.ts";
import { expectError } from "../../support/expect-error.ts";
import { alice, createWorld, lifetimeSeconds, refreshLifetimeSeconds, type World } from "./world.ts";

describe("signIn", () => {
  let world: World;
  let user: User;

  beforeEach(async () => {
    world = await createWorld();
    user = await world.createUser(alice);
  });

  const change = () => ({ userId: user.id, actor: "root" });

  it("grants a token of the user's epoch and a session that holds it", async () => {
    const grant = await world.signIn(alice);
    const claims = world.verify(grant.accessToken);
    expect(claims).to.include({ sub: user.id, epoch: user.epoch });
    expect(claims.roles).to.deep.equal(["user"]);
    expect(grant).to.include({
      expiresInSeconds: lifetimeSeconds,
      refreshExpiresInSeconds: refreshLifetimeSeconds,
    });
    expect(await world.database.sessions.findToken(claims.jti)).to.include({
      subject: user.id,
      sid: claims.sid,
    });
    expect(await world.database.sessions.findSession(claims.sid)).to.include({
      subject: user.id,
      epoch: user.epoch,
    });
  });

  it("stores no refresh token, only its hash", async () => {
    const grant = await world.signIn(alice);
    const session = await world.database.sessions.findSession(world.verify(grant.accessToken).sid);
    expect(session?.refreshHash).to.match(/^[0-9a-f]{128}$/);
    expect(JSON.stringify(session)).not.to.include(grant.refreshToken);
  });

  it("knows an address in any spelling", async () => {
    const grant = await world.signIn({ ...alice, email: "  ALICE@Example.com " });
    expect(world.verify(grant.accessToken).sub).to.equal(user.id);
  });

  const refusals: Record<string, () => Promise<{ email: string; password: string }>> = {
    "a wrong password": async () => ({ ...alice, password: "wrong horse" }),
    "an unknown user": async () => ({ ...alice, email: "nobody@example.com" }),
    "a password that is too long to be hashed": async () => ({ ...alice, password: "a".repeat(1025) }),
    "a deactivated user": async () => (await world.deactivate(change()), alice),
    "a deleted user": async () => (await world.remove(change()), alice),
  };
  for (const [who, credentials] of Object.entries(refusals)) {
    it(`refuses ${who} with the same words after the work of one hash`, async () => {
      const given = await credentials();
      const error = await expectError("credentials-invalid", () => world.signIn(given));
      expect(error.message).to.equal("Check the e-mail address and the password.");
      expect(world.verifiedHashes).to.have.length(1);
    });
  }

  it("checks the password of an unknown user against nobody's hash", async () => {
    await expectError("credentials-invalid", () => world.signIn({ ...alice, email: "nobody@example.com" }));
    expect(world.verifiedHashes).to.deep.equal(["hash of nobody"]);
  });

  it("takes the times from a clock read before the user was", async () => {
    const readAtMs = world.platform.clock.wallMs();
    world.hooks.once("before", "findByEmail", () => world.platform.advance(60_000));
    const { iat, exp } = world.verify((await world.signIn(alice)).accessToken);
    expect(iat).to.equal(readAtMs / 1000);
    expect(exp).to.equal(readAtMs / 1000 + lifetimeSeconds);
  });

  it("reads the clock before, and the user only after the longest lifetime in use was raised", async () => {
    const readAtSeconds = world.platform.clock.wallMs() / 1000;
    world.hooks.once("before", "prepareTokens", async () => {
      await world.platform.advance(60_000);
      await world.deactivate(change());
      await world.reactivate(change());
    });
    const { iat, epoch } = world.verify((await world.signIn(alice)).accessToken);
    expect(iat).to.equal(readAtSeconds);
    expect(epoch).to.equal((await world.readUsers.find(user.id)).epoch);
  });

  it("mints nothing while the longest lifetime in use cannot be raised", async () => {
    world.hooks.once("before", "prepareTokens", () => Promise.reject(dependencyUnavailable("redis", null)));
    await expectError("dependency-unavailable", () => world.signIn(alice));
  });

  it("mints a token of the old epoch when a deactivation comes while the password is checked", async () => {
    world.hooks.once("after", "findByEmail", () => world.deactivate(change()));
    const grant = await world.signIn(alice);
    const after = await world.readUsers.find(user.id);
    expect(after.status).to.equal("deactivated");
    expect(world.verify(grant.accessToken).epoch).to.be.below(after.epoch);
    await expectError("refresh-token-invalid", () => world.refresh(grant));
  });

  it("mints a token of the user's epoch in the very second of deactivation and reactivation", async () => {
    const before = world.verify((await world.signIn(alice)).accessToken);
    const deactivated = await world.deactivate(change());
    await world.reactivate(change());
    const after = world.verify((await world.signIn(alice)).accessToken);
    expect(after.iat).to.equal(before.iat);
    expect(before.epoch).to.be.below(deactivated.event?.details.epoch ?? 0);
    expect(after.epoch).to.equal(deactivated.event?.details.epoch);
  });
});
