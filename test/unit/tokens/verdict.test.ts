import { expect } from "chai";
import { before, describe, it } from "mocha";
import { generateJwks } from "../../../api/keys/generate-jwks.ts";
import { type KeySet, parseKeys } from "../../../api/tokens/keys.ts";
import { type VerdictDeps, verdictOf } from "../../../api/tokens/verdict.ts";
import type { TokenKey } from "../../../shared/ports/session-store.ts";
import { createManualPlatform } from "../../support/manual-clock.ts";
import { goodClaims, keysOf, nowSeconds } from "./token-builder.ts";

const { clock } = createManualPlatform(nowSeconds * 1000);

describe("verdictOf", () => {
  let keys: KeySet;
  let key: TokenKey;

  before(async () => {
    keys = await keysOf("ES256");
    const { kid, alg, thumbprint } = keys.signing;
    key = { kid, alg, thumbprint };
  });

  const judge = (known: TokenKey | undefined, deps: Partial<VerdictDeps> = {}, claims = goodClaims) =>
    verdictOf(
      { claims, key: known },
      {
        keys,
        blacklist: { isRevoked: () => null },
        feed: { isAccepting: () => true } as VerdictDeps["feed"], // All that is asked of a feed that accepts.
        clock,
        clockToleranceSeconds: 0,
        ...deps,
      },
    );

  it("accepts what a known key signed, and what nobody recorded a key of", () => {
    expect(judge(key)).to.include({ isAccepted: true, rule: "none" });
    expect(judge(undefined, { keys: { ...keys, find: () => undefined } })).to.include({ isAccepted: true });
  });

  it("refuses what a key signed that is compromised or gone, before it looks at anything else of the token", () => {
    const refusing = {
      keys: { ...keys, find: () => undefined },
      blacklist: { isRevoked: () => "token-revoked" as const },
    };
    const expired = { ...goodClaims, exp: nowSeconds - 1 };
    expect(judge(key, refusing, expired)).to.include({ code: "key-unknown", rule: "signing-key" });
  });

  it("refuses by its signature what a key signed whose kid another one has now", async () => {
    const other = await parseKeys(await generateJwks("ES256"));
    const found = other.find(other.signing.kid);
    expect(judge(key, { keys: { ...keys, find: () => found } })).to.include({
      code: "signature-invalid",
      rule: "signing-key",
    });
  });

  it("refuses by its algorithm what was signed in a way that no key has any more", async () => {
    expect(judge(key, { keys: await keysOf("RS256") })).to.include({
      code: "algorithm-rejected",
      rule: "signing-key",
    });
  });
});
