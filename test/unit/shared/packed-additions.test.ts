import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";
import type { Addition } from "../../../shared/revocation/addition.ts";
import { parseFingerprint } from "../../../shared/revocation/fingerprint.ts";
import { packAdditions, unpackAdditions } from "../../../shared/revocation/packed-additions.ts";
import {
  createPosition,
  origin,
  positionOfStreamId,
  streamIdOfPosition,
} from "../../../shared/revocation/position.ts";

const fingerprint = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => parseFingerprint(Buffer.from(bytes).toString("hex")));
const seconds = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const addition: fc.Arbitrary<Addition> = fc.oneof(
  fc.record({ kind: fc.constant("token" as const), token: fingerprint, exp: seconds }),
  fc.record({ kind: fc.constant("unrecorded-token" as const), token: fingerprint, until: seconds }),
  fc.record({
    kind: fc.constant("cut-off" as const),
    subject: fingerprint,
    epoch: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    notBefore: seconds,
    until: seconds,
  }),
);

describe("packed additions", () => {
  it("unpack to what was packed, kind by kind", () => {
    const order = ["token", "unrecorded-token", "cut-off"];
    fc.assert(
      fc.property(fc.array(addition), (additions) => {
        const sorted = additions.toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
        expect(unpackAdditions(packAdditions(additions))).to.deep.equal(sorted);
      }),
    );
  });

  it("refuse an epoch that is no whole number, or below nothing", () => {
    const subject = parseFingerprint("00".repeat(16));
    for (const epoch of [1.5, -1, Number.NaN, 2 ** 64])
      expect(() => packAdditions([{ kind: "cut-off", subject, epoch, notBefore: 0, until: 0 }])).to.throw(
        RangeError,
      );
  });

  it("refuse a broken record", () => {
    const nothing = new Uint8Array(0);
    expect(() =>
      unpackAdditions({ tokens: new Uint8Array(21), unrecordedTokens: nothing, cutOffs: nothing }),
    ).to.throw(RangeError);
  });
});

describe("a position", () => {
  it("orders as text as its stream ids do as numbers", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(), fc.nat(), (ms1, seq1, ms2, seq2) => {
        const isBefore = ms1 < ms2 || (ms1 === ms2 && seq1 < seq2);
        expect(createPosition(ms1, seq1) < createPosition(ms2, seq2)).to.equal(isBefore);
      }),
    );
  });

  it("survives the way to a stream id and back", () => {
    expect(streamIdOfPosition(origin)).to.equal("0-0");
    expect(streamIdOfPosition(positionOfStreamId("1732398000000-7"))).to.equal("1732398000000-7");
  });
});
