import type { RefuseIfRevoked } from "../middleware/reject-revoked.ts";
import { type FreshFeed, refuseUnlessFresh } from "../middleware/require-fresh.ts";
import type { AccessTokenClaims } from "./claims.ts";
import type { VerifyOnce } from "./verify-once.ts";

export interface AcceptTokenDeps {
  readonly feed: FreshFeed;
  readonly tokens: Pick<VerifyOnce, "verify">;
  readonly refuseIfRevoked: RefuseIfRevoked;
}

/** The checks of a request, in their order, for a token that comes another way: fresh, verified, not revoked. */
export function createAcceptToken({ feed, tokens, refuseIfRevoked }: AcceptTokenDeps) {
  return function acceptToken(token: string): AccessTokenClaims {
    refuseUnlessFresh(feed);
    const verified = tokens.verify(token);
    refuseIfRevoked(verified);
    return verified.claims;
  };
}

export type AcceptToken = ReturnType<typeof createAcceptToken>;
