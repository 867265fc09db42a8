import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import type { AccessTokenClaims } from "../../../api/tokens/claims.ts";
import { clockErrorAllowedMs } from "../../../shared/revocation/addition.ts";
import { expectError } from "../../support/expect-error.ts";
import { pendingRow } from "../../support/ledger-rows.ts";
import { alice, createWorld, lifetimeSeconds, type World } from "./world.ts";

describe("revokeToken", () => {
  let world: World;
  let claims: AccessTokenClaims;

  beforeEach(async () => {
    world = await createWorld();
    await world.createUser(alice);
    claims = world.verify((await world.signIn(alice)).accessToken);
  });

  it("puts an event with the recorded expiry into the subject's outbox", async () => {
    const { event, eventId } = await world.revokeToken({ jti: claims.jti, actor: "root", reason: "lost" });
    const [entry] = await world.database.users.listOutbox(10);
    expect(entry).to.deep.equal({ userId: claims.sub, event });
    expect(event).to.include({ id: eventId, type: "token.revoked", subject: claims.sub });
    expect(event?.details).to.deep.equal({ jti: claims.jti, exp: claims.exp, actor: "root", reason: "lost" });
    expect(world.published).to.deep.equal([entry]);
  });

  it("answers with the event that revoked it before", async () => {
    const nowMs = world.platform.clock.wallMs();
    await world.database.ledger.markTokens("e1", { by: "jti", jti: claims.jti, nowMs }, 1);
    expect(await world.revokeToken({ jti: claims.jti, actor: "root" })).to.include({
      eventId: "e1",
      event: null,
    });
    expect(world.published).to.deep.equal([]);
  });

  it("puts an event of its own where the one that revoked it before still waits for its worker", async () => {
    const nowMs = world.platform.clock.wallMs();
    await world.database.ledger.insertPending([
      pendingRow({ eventId: "e1", type: "token.revoked", jti: claims.jti }),
    ]);
    await world.database.ledger.markTokens("e1", { by: "jti", jti: claims.jti, nowMs }, 1);
    const { event } = await world.revokeToken({ jti: claims.jti, actor: "root" });
    expect(event).to.include({ type: "token.revoked", subject: claims.sub });
    expect(world.published).to.have.length(1);
  });

  it("revokes one that has expired here, where asked to, as long as a clock that is behind may accept it", async () => {
    const request = { jti: claims.jti, actor: "root", alsoExpired: true };
    await world.platform.advance(lifetimeSeconds * 1000 + clockErrorAllowedMs - 1);
    expect((await world.revokeToken(request)).event).to.include({ type: "token.revoked" });
    await world.platform.advance(1);
    await expectError("not-found", () => world.revokeToken(request));
  });

  it("knows no token that was never recorded, and none that has expired", async () => {
    await expectError("not-found", () => world.revokeToken({ jti: "unknown", actor: "root" }));
    await world.platform.advance(lifetimeSeconds * 1000);
    await expectError("not-found", () => world.revokeToken({ jti: claims.jti, actor: "root" }));
  });
});
