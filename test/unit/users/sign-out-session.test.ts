import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import type { AccessTokenClaims } from "../../../api/tokens/claims.ts";
import { sessionEndIdOf } from "../../../shared/events/event-id.ts";
import { pendingRow } from "../../support/ledger-rows.ts";
import { alice, createWorld, type World } from "./world.ts";

describe("signOutSession", () => {
  let world: World;
  let claims: AccessTokenClaims;

  beforeEach(async () => {
    world = await createWorld();
    await world.createUser(alice);
    claims = world.verify((await world.signIn(alice)).accessToken);
  });

  it("ends the session and names it and the token in an event of the user's outbox", async () => {
    await world.signOutSession(claims);
    expect((await world.database.sessions.findSession(claims.sid))?.endedAtMs).to.be.a("number");
    const [entry] = await world.database.users.listOutbox(10);
    expect(entry?.event).to.deep.include({
      source: "/quash/test",
      type: "user.signed-out",
      subject: claims.sub,
      timeMs: world.platform.clock.wallMs(),
      details: { sid: claims.sid, jti: claims.jti, exp: claims.exp, actor: claims.sub },
    });
    expect(world.published).to.deep.equal([entry]);
  });

  it("has ended the session before the event can be seen", async () => {
    let endedAtMs: number | null | undefined;
    world.hooks.once("before", "appendEvent", async () => {
      endedAtMs = (await world.database.sessions.findSession(claims.sid))?.endedAtMs;
    });
    await world.signOutSession(claims);
    expect(endedAtMs).to.equal(world.platform.clock.wallMs());
  });

  it("says it again when the first call failed between the two writes", async () => {
    world.hooks.once("before", "appendEvent", () => Promise.reject(new Error("crash")));
    const first = await world.signOutSession(claims).catch((error: unknown) => error);
    expect(first).to.be.an("error");
    await world.signOutSession(claims);
    expect(world.published).to.have.length(1);
  });

  it("ends the session also when the token was revoked by something else", async () => {
    const nowMs = world.platform.clock.wallMs();
    await world.database.ledger.markTokens("e1", { by: "jti", jti: claims.jti, nowMs }, 1);
    await world.signOutSession(claims);
    expect((await world.database.sessions.findSession(claims.sid))?.endedAtMs).to.equal(nowMs);
    expect(world.published.map(({ event }) => event.details.sid)).to.deep.equal([claims.sid]);
  });

  it("says it once, however often it is called", async () => {
    await world.signOutSession(claims);
    await world.signOutSession(claims);
    expect(world.published).to.have.length(1);
  });

  it("ends the session and says so whatever another source has put in the place of its event", async () => {
    const { sid, sub } = claims;
    const forged = { type: "token.revoked", jti: "x", source: "/hr", sourceEventId: "e-1" } as const;
    await world.database.ledger.insertPending([pendingRow({ eventId: sessionEndIdOf(sid), ...forged })]);
    await world.signOutSession(claims);
    expect((await world.database.sessions.findSession(sid))?.endedAtMs).to.be.a("number");
    expect(world.published.map(({ event }) => event.subject)).to.deep.equal([sub]);
  });

  it("ends a session also when its end was said before", async () => {
    const said = { type: "user.signed-out", source: "/quash/test" } as const;
    await world.database.ledger.insertPending([pendingRow({ eventId: sessionEndIdOf(claims.sid), ...said })]);
    await world.signOutSession(claims);
    expect((await world.database.sessions.findSession(claims.sid))?.endedAtMs).to.be.a("number");
    expect(world.published).to.have.length(0);
  });

  it("leaves the user's other sessions and his epoch alone", async () => {
    const other = await world.signIn(alice);
    await world.signOutSession(claims);
    expect(world.verify((await world.refresh(other)).accessToken).epoch).to.equal(claims.epoch);
    expect((await world.readUsers.find(claims.sub)).epoch).to.equal(claims.epoch);
  });
});
