import type { Clock } from "../../shared/ports/platform.ts";
import type { Blacklist, TokenNames } from "../blacklist/blacklist.ts";
import type { AccessTokenClaims } from "./claims.ts";
import { VerificationCache, type VerificationCacheOptions } from "./verification-cache.ts";
import { refuseByTime, type VerifyToken } from "./verify-token.ts";

/** A token whose signature and claims are good, with what the blacklist knows it by: the same for all who bring it. */
export interface VerifiedToken {
  readonly claims: AccessTokenClaims;
  readonly names: TokenNames;
}

export interface VerifyOnceDeps {
  readonly verifyToken: VerifyToken;
  readonly blacklist: Pick<Blacklist, "namesOf">;
  readonly clock: Clock;
  readonly clockToleranceSeconds: number;
  readonly cache: VerificationCacheOptions;
}

export interface VerifyOnce {
  /** As `verifyToken`, which it asks for a token that it does not know. What time can change is looked at each time. */
  verify(token: string): VerifiedToken;
  /** Once the keys have changed: a token of one that is gone must be refused. */
  forgetAll(): void;
  readonly entries: number;
  readonly bytes: number;
}

/** Only what was verified is remembered, so what is made up pushes nobody's token out. */
export function createVerifyOnce(deps: VerifyOnceDeps): VerifyOnce {
  const { verifyToken, blacklist, clock, clockToleranceSeconds } = deps;
  const cache = new VerificationCache<VerifiedToken>(deps.cache);

  function verify(token: string): VerifiedToken {
    const known = cache.get(token);
    if (known !== undefined) {
      refuseByTime(known.claims, { nowSeconds: Math.floor(clock.wallMs() / 1000), clockToleranceSeconds });
      return known;
    }
    const claims = verifyToken(token);
    Object.freeze(claims.roles);
    const verified = Object.freeze({ claims: Object.freeze(claims), names: blacklist.namesOf(claims) });
    cache.put(token, verified);
    return verified;
  }

  return {
    verify,
    forgetAll: () => cache.clear(),
    get entries() {
      return cache.entries;
    },
    get bytes() {
      return cache.bytes;
    },
  };
}
