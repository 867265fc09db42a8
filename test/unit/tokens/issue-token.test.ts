import { expect } from "chai";
import jwt from "jsonwebtoken";
import { before, describe, it } from "mocha";
import { createIssueToken, type IssueTokenDeps, type TokenRequest } from "../../../api/tokens/issue-token.ts";
import type { KeySet } from "../../../api/tokens/keys.ts";
import { createVerifyToken } from "../../../api/tokens/verify-token.ts";
import type { TokenRecord } from "../../../shared/ports/session-store.ts";
import { createManualPlatform } from "../../support/manual-clock.ts";
import { audience, goodClaims, issuer, keysOf, nowSeconds } from "./token-builder.ts";

const request: TokenRequest = {
  user: { id: goodClaims.sub, roles: ["user", "admin"] },
  sid: goodClaims.sid,
  epoch: 7,
  readAtMs: nowSeconds * 1000 - 1_750,
};

describe("issueToken", () => {
  let keys: KeySet;
  const platform = createManualPlatform(nowSeconds * 1000);

  const create = (deps: Partial<IssueTokenDeps> = {}) => {
    const recorded: TokenRecord[] = [];
    const sessions = { recordToken: async (token: TokenRecord) => void recorded.push(token) };
    const shared = { keys, issuer, audience, lifetimeSeconds: 900, ids: platform.ids, sessions };
    return { issueToken: createIssueToken({ ...shared, ...deps }), recorded };
  };

  before(async () => {
    keys = await keysOf("RS256");
  });

  it("issues a token that verifies, with the claims of an access token and no others", async () => {
    const { accessToken } = await create().issueToken(request);
    const verify = createVerifyToken({
      keys,
      issuer,
      audience,
      clockToleranceSeconds: 0,
      clock: platform.clock,
    });
    const { jti, ...claims } = verify(accessToken);
    expect(jti).to.match(/^[0-9a-f-]{36}$/);
    expect(claims).to.deep.equal({
      iss: issuer,
      aud: audience,
      sub: goodClaims.sub,
      client_id: "quash",
      iat: nowSeconds - 2,
      exp: nowSeconds + 898,
      sid: goodClaims.sid,
      epoch: 7,
      roles: ["user", "admin"],
    });
    expect(Object.keys(jwt.decode(accessToken, { json: true }) ?? {})).to.have.length(10);
    const header = jwt.decode(accessToken, { complete: true })?.header;
    expect(header).to.deep.equal({ alg: "RS256", typ: "at+jwt", kid: keys.signing.kid });
  });

  it("records the token with the milliseconds of the clock reading", async () => {
    const { issueToken, recorded } = create();
    const { claims } = await issueToken(request);
    expect(recorded).to.deep.equal([
      {
        jti: claims.jti,
        subject: goodClaims.sub,
        sid: goodClaims.sid,
        epoch: 7,
        issuedAtMs: request.readAtMs,
        expiresAtMs: (nowSeconds + 898) * 1000,
        revokedBy: null,
        key: { kid: keys.signing.kid, alg: "RS256", thumbprint: keys.listed[0]?.thumbprint },
      },
    ]);
  });

  it("gives nothing out when the token could not be recorded", async () => {
    const sessions = { recordToken: () => Promise.reject(new Error("not recorded")) };
    const outcome = await create({ sessions })
      .issueToken(request)
      .catch((error: unknown) => error);
    expect(outcome).to.be.an("error").with.property("message", "not recorded");
  });
});
