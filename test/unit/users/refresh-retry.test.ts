import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { createRefreshToken, parseRefreshToken } from "../../../api/users/refresh-token.ts";
import { openGrant, sealGrant } from "../../../api/users/sealed-grant.ts";
import type { TokenGrant } from "../../../api/users/token-grant.ts";
import { dependencyUnavailable } from "../../../shared/errors.ts";
import { expectError } from "../../support/expect-error.ts";
import { alice, createWorld, refreshIdleSeconds, type World } from "./world.ts";

const refreshRetrySeconds = 10;

describe("a refresh that is sent again", () => {
  let world: World;
  let grant: TokenGrant;

  beforeEach(async () => {
    world = await createWorld({ refreshRetrySeconds });
    await world.createUser(alice);
    grant = await world.signIn(alice);
  });

  const claims = () => world.verify(grant.accessToken);
  const change = () => ({ userId: claims().sub, actor: "root" });
  const session = () => world.database.sessions.findSession(claims().sid);
  const retryMs = refreshRetrySeconds * 1_000;

  it("gets the same answer, and mints nothing", async () => {
    const next = await world.refresh(grant);
    await world.platform.advance(retryMs - 1);
    let recorded = 0;
    world.hooks.once("after", "recordToken", async () => void (recorded += 1));

    expect(await world.refresh(grant)).to.deep.equal(next);
    expect(await world.refresh(grant)).to.deep.equal(next);
    expect(recorded).to.equal(0);
    expect(await session()).to.include({ endedAtMs: null });
  });

  it("goes on from that answer", async () => {
    const next = await world.refresh(await world.refresh(grant));
    expect(world.verify(next.accessToken).sid).to.equal(claims().sid);
    expect(world.published).to.have.length(0);
  });

  it("ends the session once the time for it has passed", async () => {
    await world.refresh(grant);
    await world.platform.advance(retryMs);
    await expectError("refresh-token-invalid", () => world.refresh(grant));
    expect(await session())
      .to.have.property("endedAtMs")
      .that.is.a("number");
    expect(world.published[0]?.event.details).to.include({ sid: claims().sid });
  });

  it("ends the session when somebody has used what the answer gave out", async () => {
    const second = await world.refresh(grant);
    const third = await world.refresh(second);
    await expectError("refresh-token-invalid", () => world.refresh(grant));
    await expectError("refresh-token-invalid", () => world.refresh(second));
    await expectError("refresh-token-invalid", () => world.refresh(third));
  });

  for (const stepMs of [-3_600_000, 3_600_000]) {
    it(`has no longer for it on a machine whose clock was set by ${stepMs} ms`, async () => {
      await world.refresh(grant);
      world.platform.stepWall(stepMs / 2);
      await expectError("refresh-token-invalid", () => world.refresh(grant));
    });
  }

  it("counts from the rotation, not from when the request came", async () => {
    world.hooks.once("before", "rotate", async () => undefined);
    world.hooks.once("after", "recordToken", () => world.platform.advance(retryMs * 3));
    const next = await world.refresh(grant);
    expect(await world.refresh(grant)).to.deep.equal(next);
  });

  it("gives two calls at once the same answer", async () => {
    const [one, other] = await Promise.all([world.refresh(grant), world.refresh(grant)]);
    expect(one).to.deep.equal(other);
    expect(await session()).to.have.property("endedAtMs", null);
    expect(world.published).to.have.length(0);
  });

  it("gets the answer also where the first call died between its writes and its answer", async () => {
    let rotated: unknown = null;
    world.hooks.once("after", "rotate", async () => {
      rotated = await session();
      throw dependencyUnavailable("mongodb", null);
    });
    await expectError("dependency-unavailable", () => world.refresh(grant));
    const next = await world.refresh(grant);
    expect(await session()).to.deep.equal(rotated);
    await world.refresh(next);
  });

  it("starts anew where the first call died before the rotation", async () => {
    world.hooks.once("before", "rotate", () => Promise.reject(dependencyUnavailable("mongodb", null)));
    await expectError("dependency-unavailable", () => world.refresh(grant));
    await world.refresh(await world.refresh(grant));
    expect(world.published).to.have.length(0);
  });

  for (const kind of ["deactivate", "signOut", "remove"] as const) {
    it(`gets nothing after ${kind}`, async () => {
      const next = await world.refresh(grant);
      await world[kind](change());
      await expectError("refresh-token-invalid", () => world.refresh(grant));
      await expectError("refresh-token-invalid", () => world.refresh(next));
    });
  }

  it("gets nothing when the user is deactivated while it is under way", async () => {
    await world.refresh(grant);
    world.hooks.once("after", "findSession", () => world.deactivate(change()));
    await expectError("refresh-token-invalid", () => world.refresh(grant));
  });

  it("gets nothing after the session was signed out", async () => {
    await world.refresh(grant);
    await world.signOutSession(claims());
    await expectError("refresh-token-invalid", () => world.refresh(grant));
  });

  it("has a sign-out that comes meanwhile find the token that it is given again", async () => {
    const next = await world.refresh(grant);
    const { sid, jti } = world.verify(next.accessToken);
    const nowMs = world.platform.clock.wallMs();
    let marked: string[] = [];
    world.hooks.once("after", "findSession", async () => {
      await world.signOutSession(claims());
      await world.database.ledger.markTokens("e1", { by: "session", sid, nowMs }, 10);
      const page = { expiresAfterMs: nowMs, limit: 10 };
      marked = (await world.database.ledger.listMarked(["e1"], page)).map((token) => token.jti);
    });
    await world.refresh(grant);
    expect(marked).to.include(jti);
  });

  it("leaves nothing in the database that opens without the spent token", async () => {
    const next = await world.refresh(grant);
    const stored = JSON.stringify(await session());
    for (const secret of [grant, next].flatMap((each) => [each.accessToken, each.refreshToken])) {
      expect(stored).to.not.include(secret);
      expect(stored).to.not.include(Buffer.from(secret).toString("base64url").slice(0, 40));
    }
  });

  it("is opened by that token alone, unchanged", () => {
    const { randomness } = world.platform;
    const spent = parseRefreshToken(grant.refreshToken) ?? expect.fail("not a refresh token");
    const sealed = sealGrant(grant, spent, randomness);
    expect(openGrant(sealed, spent)).to.deep.equal(grant);
    expect(openGrant(sealed, createRefreshToken(spent.sid, randomness))).to.equal(null);
    const changed = Buffer.from(sealed, "base64url");
    changed.writeUInt8(changed.readUInt8(40) ^ 1, 40);
    expect(openGrant(changed.toString("base64url"), spent)).to.equal(null);
    expect(openGrant("", spent)).to.equal(null);
  });
});

describe("a session that nobody refreshes", () => {
  it("ends after its idle lifetime, which every refresh starts anew, within its absolute one", async () => {
    const world = await createWorld({ refreshRetrySeconds, refreshIdleSeconds: 1_200 });
    await world.createUser(alice);
    const first = await world.signIn(alice);
    expect(first.refreshExpiresInSeconds).to.equal(1_200);

    await world.platform.advance(1_199_000);
    const second = await world.refresh(first);
    await world.platform.advance(1_199_000);
    const third = await world.refresh(second);
    await world.platform.advance(1_000_000);
    const fourth = await world.refresh(third);
    expect(fourth.refreshExpiresInSeconds).to.equal(3_600 - 1_199 - 1_199 - 1_000);
    await world.platform.advance(202_000);
    await expectError("refresh-token-invalid", () => world.refresh(fourth));
  });

  it("is refused the moment that its idle lifetime is over", async () => {
    const world = await createWorld();
    await world.createUser(alice);
    const grant = await world.signIn(alice);
    await world.platform.advance(refreshIdleSeconds * 1_000);
    await expectError("refresh-token-invalid", () => world.refresh(grant));
  });
});
