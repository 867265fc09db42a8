import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";
import { createBlacklist } from "../../../api/blacklist/blacklist.ts";
import { type Addition, type CutOff, clockErrorAllowedMs } from "../../../shared/revocation/addition.ts";
import { differingBuckets, digestsOf } from "../../../shared/revocation/digest.ts";
import { createFingerprinter, parseFingerprint } from "../../../shared/revocation/fingerprint.ts";
import { packAdditions } from "../../../shared/revocation/packed-additions.ts";
import { createManualPlatform } from "../../support/manual-clock.ts";

const nameOf = (number: number) => parseFingerprint(number.toString(16).padStart(32, "0"));
const small = fc.nat({ max: 3 });
/** Few values, so that the same token and the same subject come up again and again. */
const addition: fc.Arbitrary<Addition> = fc.oneof(
  fc.record({ kind: fc.constant("token" as const), token: small.map(nameOf), exp: fc.nat({ max: 200 }) }),
  fc.record({
    kind: fc.constant("unrecorded-token" as const),
    token: small.map(nameOf),
    until: fc.nat({ max: 3_000 }),
  }),
  fc.record({
    kind: fc.constant("cut-off" as const),
    subject: small.map(nameOf),
    epoch: small,
    notBefore: small,
    until: fc.nat({ max: 3_000 }),
  }),
);
const additions = fc.array(addition, { maxLength: 30 });
const digest = (of: readonly Addition[], aliveAtMs?: number) => digestsOf([packAdditions(of)], aliveAtMs);

describe("digestsOf", () => {
  it("is the same in any order, with anything twice, in any chunks", () =>
    fc.assert(
      fc.asyncProperty(additions, fc.array(fc.nat()), async (some, order) => {
        const shuffled = [...some, ...some]
          .map((one, at) => ({ one, key: order[at] ?? 0 }))
          .toSorted((a, b) => a.key - b.key)
          .map(({ one }) => packAdditions([one]));
        expect(differingBuckets(await digestsOf(shuffled), await digest(some))).to.deep.equal([]);
      }),
    ));

  it("is the same for a blacklist that merged the contents", () =>
    fc.assert(
      fc.asyncProperty(additions, async (some) => {
        const blacklist = createBlacklist({
          ...createManualPlatform(0),
          fingerprint: createFingerprinter("own"),
          ownIssuer: "own",
        });
        for (const one of some) blacklist.apply(packAdditions([one]));
        expect(differingBuckets(await digestsOf(blacklist.records()), await digest(some))).to.deep.equal([]);
      }),
    ));

  it("differs where one refuses a token that the other does not, and names the bucket", async () => {
    const token: Addition = { kind: "token", token: nameOf(1), exp: 120 };
    const unrecorded: Addition = { kind: "unrecorded-token", token: nameOf(1), until: 120 };
    const both = await digest([token, unrecorded, cutOff({})]);
    expect(differingBuckets(both, await digest([unrecorded, cutOff({})]))).to.deep.equal(["tokens:2"]);
    expect(differingBuckets(both, await digest([token, cutOff({})]))).to.deep.equal(["unrecorded:00"]);
    expect(differingBuckets(both, await digest([token, unrecorded]))).to.deep.equal(["cut-offs:00"]);
    expect(
      differingBuckets(both, await digest([{ ...token, exp: 60 }, unrecorded, cutOff({})])),
    ).to.have.length(2);
    for (const stricter of [cutOff({ epoch: 2 }), cutOff({ notBefore: 1 })])
      expect(differingBuckets(both, await digest([token, unrecorded, stricter]))).to.have.length(1);
  });

  it("does not mind until when a cut-off lives, or in how many generations", async () => {
    const merged = await digest([cutOff({ epoch: 2, notBefore: 7, until: 5_000 })]);
    const apart = await digest([cutOff({ epoch: 2, until: 100 }), cutOff({ notBefore: 7, until: 2_000 })]);
    expect(differingBuckets(merged, apart)).to.deep.equal([]);
  });

  it("leaves out minutes and generations that any copy may have dropped, and no others", async () => {
    const some: Addition[] = [{ kind: "token", token: nameOf(1), exp: 0 }, cutOff({ until: 0 })];
    expect((await digest(some, clockErrorAllowedMs + 59_999)).size).to.equal(2);
    expect([...(await digest(some, clockErrorAllowedMs + 60_000)).keys()]).to.deep.equal(["cut-offs:00"]);
    expect((await digest(some, clockErrorAllowedMs + 899_999)).size).to.equal(1);
    expect((await digest(some, clockErrorAllowedMs + 900_000)).size).to.equal(0);
  });
});

function cutOff(changes: Partial<CutOff>): CutOff {
  return { kind: "cut-off", subject: nameOf(2), epoch: 1, notBefore: 0, until: 100, ...changes };
}
