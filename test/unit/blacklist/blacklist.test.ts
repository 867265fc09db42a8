import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { noAdditions } from "../../../shared/revocation/packed-additions.ts";
import {
  createWorld,
  cutOff,
  lifetimeSeconds,
  otherIssuer,
  tokenRevocation,
  unrecordedToken,
  uuid,
} from "./world.ts";

const errorAllowedSeconds = 300;

describe("blacklist", () => {
  let world: ReturnType<typeof createWorld>;
  beforeEach(() => {
    world = createWorld();
  });

  describe("a revoked token", () => {
    it("is refused, and no other token of its subject is", () => {
      const { blacklist, claims, apply } = world;
      apply(tokenRevocation(claims()));

      expect(blacklist.isRevoked(claims())).to.equal("token-revoked");
      expect(blacklist.isRevoked(claims({ jti: uuid(3) }))).to.equal(null);
    });

    it("is another one than the token of the same id from another issuer", () => {
      const { blacklist, claims, apply } = world;
      apply(tokenRevocation(claims()));

      expect(blacklist.isRevoked(claims({ iss: otherIssuer }))).to.equal(null);
    });

    it("is refused by an id that is no UUID", () => {
      const { blacklist, claims, apply } = world;
      const foreign = claims({ iss: otherIssuer, jti: "order#17" });
      apply(unrecordedToken(foreign, foreign.exp));

      expect(blacklist.isRevoked(foreign)).to.equal("token-revoked");
      expect(blacklist.isRevoked({ ...foreign, jti: "order#18" })).to.equal(null);
    });

    it("is refused through the side bucket whatever its own expiry", () => {
      const { blacklist, claims, apply } = world;
      apply(unrecordedToken(claims(), claims().exp));

      expect(blacklist.isRevoked(claims({ exp: claims().exp + 86_400 }))).to.equal("token-revoked");
    });
  });

  describe("a cut-off", () => {
    it("refuses the tokens below its epoch, and none of that epoch minted in the same second", () => {
      const { blacklist, claims, apply } = world;
      apply(cutOff(claims(), { epoch: 4, until: claims().exp }));

      expect(blacklist.isRevoked(claims({ epoch: 3 }))).to.equal("user-deactivated");
      expect(blacklist.isRevoked(claims({ epoch: 4 }))).to.equal(null);
      expect(blacklist.isRevoked(claims({ epoch: 3, sub: uuid(9) }))).to.equal(null);
    });

    it("by time refuses what another issuer issued at or before it", () => {
      const { blacklist, claims, apply, startSeconds } = world;
      const foreign = claims({ iss: otherIssuer });
      apply(cutOff(foreign, { notBefore: startSeconds, until: foreign.exp }));

      expect(blacklist.isRevoked({ ...foreign, iat: startSeconds })).to.equal("user-deactivated");
      expect(blacklist.isRevoked({ ...foreign, iat: startSeconds + 1 })).to.equal(null);
    });

    it("by time refuses no token of our own", () => {
      const { blacklist, claims, apply, startSeconds } = world;
      apply(cutOff(claims(), { notBefore: startSeconds + 60, until: claims().exp }));

      expect(blacklist.isRevoked(claims())).to.equal(null);
    });

    it("by epoch refuses nothing of another issuer, however old", () => {
      const { blacklist, claims, apply } = world;
      const foreign = claims({ iss: otherIssuer, iat: 0 });
      apply(cutOff(foreign, { epoch: 4, until: foreign.exp }));

      expect(blacklist.isRevoked(foreign)).to.equal(null);
    });

    it("by time is not evaded by an epoch in another issuer's token", () => {
      const { blacklist, claims, apply, startSeconds } = world;
      const foreign = claims({ iss: otherIssuer, epoch: 1_000 });
      apply(cutOff(foreign, { notBefore: startSeconds, until: foreign.exp }));

      expect(blacklist.isRevoked(foreign)).to.equal("user-deactivated");
    });

    it("stays as strict as the strictest, in whatever order and generation they come", () => {
      const { blacklist, claims, apply } = world;
      apply(cutOff(claims(), { epoch: 4, until: claims().exp }));
      apply(cutOff(claims(), { epoch: 2, until: claims().exp }));
      apply(cutOff(claims(), { epoch: 1, until: claims().exp + 3_600 }));

      expect(blacklist.isRevoked(claims({ epoch: 3 }))).to.equal("user-deactivated");
    });

    it("is named rather than the revocation of the single token", () => {
      const { blacklist, claims, apply } = world;
      apply(tokenRevocation(claims()), cutOff(claims(), { epoch: 4, until: claims().exp }));

      expect(blacklist.isRevoked(claims())).to.equal("user-deactivated");
    });
  });

  describe("pruning", () => {
    const claimsFromNow = () => {
      const iat = world.platform.clock.wallMs() / 1000;
      return world.claims({ iat, exp: iat + lifetimeSeconds });
    };
    const prunedAfter = async (seconds: number) => {
      await world.platform.advance(seconds * 1000);
      return world.blacklist.prune();
    };

    it("keeps a token until its expiry and the clock error allowed have passed, and then drops it", async () => {
      const { blacklist, claims, apply } = world;
      apply(tokenRevocation(claims()));

      expect(await prunedAfter(900 + errorAllowedSeconds)).to.equal(0);
      expect(blacklist.isRevoked(claims())).to.equal("token-revoked");
      expect(await prunedAfter(60)).to.equal(1);
      expect(blacklist.isRevoked(claims())).to.equal(null);
      expect(blacklist.entries).to.equal(0);
    });

    it("drops cut-offs and unrecorded tokens with their quarter of an hour", async () => {
      const { blacklist, claims, apply } = world;
      apply(cutOff(claims(), { epoch: 4, until: claims().exp }), unrecordedToken(claims(), claims().exp));

      expect(await prunedAfter(900 + errorAllowedSeconds)).to.equal(0);
      expect(await prunedAfter(900)).to.equal(2);
      expect(blacklist.isRevoked(claims())).to.equal(null);
    });

    it("drops nothing when the wall clock leaps ahead for less than one longest lifetime", async () => {
      const { platform, blacklist, apply } = world;
      await prunedAfter(lifetimeSeconds);
      const claims = claimsFromNow();
      apply(tokenRevocation(claims));
      blacklist.prune();
      platform.stepWall(86_400_000);
      expect(await prunedAfter(600)).to.equal(0);
      platform.stepWall(-86_400_000);

      expect(blacklist.prune()).to.equal(0);
      expect(blacklist.isRevoked(claims)).to.equal("token-revoked");
    });

    it("drops nothing during the first longest lifetime, whatever the wall clock says at the start", async () => {
      const { blacklist, apply } = world;
      const trulyLive = claimsFromNow();
      apply(tokenRevocation({ ...trulyLive, exp: trulyLive.exp - 86_400 * 400 }));

      expect(await prunedAfter(lifetimeSeconds - 1)).to.equal(0);
      expect(await prunedAfter(1)).to.equal(1);
      expect(blacklist.entries).to.equal(0);
    });

    it("follows the wall clock back at once", async () => {
      const { platform, blacklist, apply } = world;
      await prunedAfter(lifetimeSeconds);
      const claims = claimsFromNow();
      apply(tokenRevocation(claims));
      platform.stepWall(-3_600_000);

      expect(await prunedAfter(1_260)).to.equal(0);
      expect(blacklist.isRevoked(claims)).to.equal("token-revoked");
      expect(await prunedAfter(3_600)).to.equal(1);
    });
  });

  describe("merging", () => {
    it("counts what comes twice once", () => {
      const { blacklist, claims, apply } = world;
      for (let time = 0; time < 2; time += 1) {
        apply(tokenRevocation(claims()), cutOff(claims(), { epoch: 4, until: claims().exp }));
      }

      expect(blacklist.entries).to.equal(2);
    });

    it("takes nothing of additions with a broken record", () => {
      const { blacklist, claims, apply } = world;
      apply(tokenRevocation(claims()));
      const broken = { ...noAdditions, tokens: new Uint8Array(20), cutOffs: new Uint8Array(35) };

      expect(() => blacklist.apply(broken)).to.throw(RangeError);
      expect(blacklist.entries).to.equal(1);
    });

    it("reads records that lie inside a larger piece of memory", () => {
      const { blacklist, claims, apply } = world;
      apply(tokenRevocation(claims()));
      const bytes = new Uint8Array(30);
      bytes.fill(7, 10, 26);
      new DataView(bytes.buffer).setUint32(26, claims().exp);
      blacklist.apply({ ...noAdditions, tokens: bytes.subarray(10) });

      const jti = "07070707-0707-0707-0707-070707070707";
      expect(blacklist.isRevoked(claims({ jti }))).to.equal("token-revoked");
    });

    it("tells each listener, until it stops listening", () => {
      const { blacklist } = world;
      const heard: unknown[] = [];
      const stop = blacklist.onApplied((additions) => heard.push(additions));
      blacklist.apply(noAdditions);
      stop();
      blacklist.apply(noAdditions);

      expect(heard).to.deep.equal([noAdditions]);
    });
  });
});
