import { expect } from "chai";
import { before, beforeEach, describe, it } from "mocha";
import { createBlacklist } from "../../../api/blacklist/blacklist.ts";
import type { KeySet } from "../../../api/tokens/keys.ts";
import { createVerifyOnce, type VerifyOnce } from "../../../api/tokens/verify-once.ts";
import { createVerifyToken } from "../../../api/tokens/verify-token.ts";
import { AppError } from "../../../shared/errors.ts";
import { createFingerprinter } from "../../../shared/revocation/fingerprint.ts";
import { packAdditions } from "../../../shared/revocation/packed-additions.ts";
import { expectError } from "../../support/expect-error.ts";
import { createManualPlatform, type ManualPlatform } from "../../support/manual-clock.ts";
import { audience, goodClaims, issuer, keysOf, nowSeconds, withClaims } from "./token-builder.ts";

const clockToleranceSeconds = 5;

describe("verifying a token once", () => {
  let keys: KeySet;
  let platform: ManualPlatform;
  let verifications: number;
  let tokens: VerifyOnce;
  const fingerprint = createFingerprinter(issuer);

  before(async () => {
    keys = await keysOf("RS256");
  });
  beforeEach(() => {
    platform = createManualPlatform(nowSeconds * 1_000);
    tokens = create();
  });

  function create(cache = { maxEntries: 10, maxBytes: 1_000_000 }) {
    const { clock } = platform;
    const verifyToken = createVerifyToken({ keys, issuer, audience, clock, clockToleranceSeconds });
    verifications = 0;
    return createVerifyOnce({
      verifyToken(token) {
        verifications += 1;
        return verifyToken(token);
      },
      blacklist: createBlacklist({ ...platform, fingerprint, ownIssuer: issuer }),
      clock,
      clockToleranceSeconds,
      cache,
    });
  }

  it("verifies a token that comes again only once, and gives the same claims", () => {
    const token = withClaims(keys, {});
    expect(tokens.verify(token).claims).to.deep.equal(goodClaims);
    expect(tokens.verify(Buffer.from(token).toString()).claims).to.deep.equal(goodClaims);
    expect(verifications).to.equal(1);
  });

  it("refuses a token that has expired since, and one that a clock set back makes too early", async () => {
    const token = withClaims(keys, { exp: nowSeconds + 60, nbf: nowSeconds - 5 });
    tokens.verify(token);
    platform.stepWall(-20_000);
    await expectError("token-not-yet-valid", () => tokens.verify(token));
    platform.stepWall(20_000);
    tokens.verify(token);
    await platform.advance((60 + clockToleranceSeconds) * 1_000);
    await expectError("token-expired", () => tokens.verify(token));
    expect(verifications).to.equal(1);
  });

  it("accepts it within the tolerance, as at the first time", async () => {
    const token = withClaims(keys, { exp: nowSeconds + 60 });
    tokens.verify(token);
    await platform.advance((60 + clockToleranceSeconds) * 1_000 - 1);
    expect(tokens.verify(token).claims.exp).to.equal(nowSeconds + 60);
  });

  it("takes a token with one character more, less or changed for another one", () => {
    const token = withClaims(keys, {});
    tokens.verify(token);
    const changedAt = (fromEnd: number) => {
      const at = token.length - fromEnd;
      return token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
    };
    const others = [`${token}A`, token.slice(0, -1), ...[5, 10, 20, 350, 500].map(changedAt)];
    for (const other of others) expect(() => tokens.verify(other)).to.throw(AppError);
    expect(verifications).to.equal(1 + others.length);
  });

  it("remembers nothing that was refused: whoever makes tokens up pushes no good one out", async () => {
    const token = withClaims(keys, {});
    tokens.verify(token);
    for (let n = 0; n < 100; n += 1) {
      await expectError("signature-invalid", () =>
        tokens.verify(`${token.slice(0, -342)}${String(n).padEnd(342, "A")}`),
      );
    }
    expect(tokens.entries).to.equal(1);
    verifications = 0;
    tokens.verify(token);
    expect(verifications).to.equal(0);
  });

  it("asks for the signature again once it was told to forget", () => {
    const token = withClaims(keys, {});
    tokens.verify(token);
    tokens.forgetAll();
    expect([tokens.entries, tokens.bytes]).to.deep.equal([0, 0]);
    tokens.verify(token);
    expect(verifications).to.equal(2);
  });

  it("lets nobody change what all requests share", () => {
    const { claims } = tokens.verify(withClaims(keys, {}));
    expect(() => Object.assign(claims, { sub: "somebody else" })).to.throw(TypeError);
    expect(() => (claims.roles as string[]).push("admin")).to.throw(TypeError);
  });

  it("gives names by which the blacklist finds a token that is revoked later", () => {
    const blacklist = createBlacklist({ ...platform, fingerprint, ownIssuer: issuer });
    const claims = { ...goodClaims };
    const names = blacklist.namesOf(claims);
    expect(blacklist.isRevoked(claims, names)).to.equal(null);
    const token = fingerprint(issuer, claims.jti);
    blacklist.apply(packAdditions([{ kind: "token", token, exp: claims.exp }]));
    expect(blacklist.isRevoked(claims, names)).to.equal("token-revoked");
    const subject = fingerprint(issuer, claims.sub);
    blacklist.apply(
      packAdditions([{ kind: "cut-off", subject, epoch: claims.epoch + 1, notBefore: 0, until: claims.exp }]),
    );
    expect(blacklist.isRevoked(claims, names)).to.equal("user-deactivated");
  });
});
