import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";
import type { CheckedClaims } from "../../../api/blacklist/blacklist.ts";
import type { Addition } from "../../../shared/revocation/addition.ts";
import {
  createWorld,
  cutOff,
  fingerprint,
  lifetimeSeconds,
  otherIssuer,
  ownIssuer,
  tokenRevocation,
  unrecordedToken,
  uuid,
} from "./world.ts";

/** Says the same with plain lists, from the rules alone; it forgets nothing. */
function verdictOf(additions: readonly Addition[], claims: CheckedClaims): string | null {
  const subject = fingerprint(claims.iss, claims.sub);
  const token = fingerprint(claims.iss, claims.jti);
  const cut = additions.some((addition) => {
    if (addition.kind !== "cut-off" || addition.subject !== subject) return false;
    if (claims.iss === ownIssuer) return (claims.epoch ?? 0) < addition.epoch;
    return addition.notBefore > 0 && claims.iat <= addition.notBefore;
  });
  if (cut) return "user-deactivated";
  const named = additions.some((addition) => {
    if (addition.kind === "token")
      return addition.token === token && minute(addition.exp) === minute(claims.exp);
    return addition.kind === "unrecorded-token" && addition.token === token;
  });
  return named ? "token-revoked" : null;
}

const minute = (seconds: number) => Math.floor(seconds / 60);

const anyClaims = (startSeconds: number) =>
  fc
    .record({
      iss: fc.constantFrom(ownIssuer, otherIssuer),
      sub: fc.constantFrom(uuid(1), uuid(2), "carol"),
      jti: fc.constantFrom(uuid(5), uuid(6), "order#17"),
      epoch: fc.nat(4),
      age: fc.nat(4),
    })
    .map(({ age, ...claims }): CheckedClaims => {
      const iat = startSeconds - age * 30;
      return { ...claims, iat, exp: iat + lifetimeSeconds };
    });

const anyAddition = (startSeconds: number) =>
  fc
    .tuple(anyClaims(startSeconds), fc.constantFrom("token", "unrecorded", "epoch", "time"), fc.nat(3_600))
    .map(([claims, kind, more]): Addition => {
      const until = startSeconds + lifetimeSeconds + more;
      if (kind === "token") return tokenRevocation(claims);
      if (kind === "unrecorded") return unrecordedToken(claims, until);
      if (kind === "epoch") return cutOff(claims, { epoch: claims.epoch ?? 0, until });
      return cutOff(claims, { notBefore: claims.iat, until });
    });

describe("blacklist, whatever is merged", () => {
  const { startSeconds } = createWorld();
  const additions = fc.array(anyAddition(startSeconds), { maxLength: 40 });

  it("refuses exactly the tokens that one of the rules hits", () => {
    fc.assert(
      fc.property(additions, fc.array(anyClaims(startSeconds)), (given, asked) => {
        const { blacklist, apply } = createWorld();
        apply(...given);
        for (const claims of asked) expect(blacklist.isRevoked(claims)).to.equal(verdictOf(given, claims));
      }),
    );
  });

  it("ends the same in any order, in any pieces, any number of times", () => {
    fc.assert(
      fc.property(additions, fc.array(fc.nat()), fc.array(anyClaims(startSeconds)), (given, picks, asked) => {
        const { blacklist, apply } = createWorld();
        for (const pick of picks) {
          const again = given[pick % Math.max(1, given.length)];
          if (again !== undefined) apply(again);
        }
        for (const addition of given.toReversed()) apply(addition);
        for (const claims of asked) expect(blacklist.isRevoked(claims)).to.equal(verdictOf(given, claims));
      }),
    );
  });

  it("forgets none before the token that it hits has expired, and all of them in the end", async () => {
    const schedule = fc.asyncProperty(
      additions,
      anyClaims(startSeconds),
      fc.nat(900),
      async (given, claims, at) => {
        const { blacklist, apply, platform } = createWorld();
        apply(...given);
        await platform.advance(at * 1000);
        blacklist.prune();
        if (startSeconds + at <= claims.exp) {
          expect(blacklist.isRevoked(claims)).to.equal(verdictOf(given, claims));
        }
        await platform.advance(3 * 3_600_000);
        blacklist.prune();
        expect(blacklist.entries).to.equal(0);
      },
    );
    await fc.assert(schedule, { numRuns: 40 });
  });
});
