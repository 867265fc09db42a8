import { refuseMereEmitter } from "../middleware/require-role.ts";
import { claimsOf, type RequestState } from "../request-state.ts";
import type { AccessTokenClaims } from "../tokens/claims.ts";

/** Of who calls for himself. Throws `forbidden` for who may only publish events. */
export function ownClaimsOf(ctx: { readonly state: RequestState }): AccessTokenClaims {
  const claims = claimsOf(ctx);
  refuseMereEmitter(claims);
  return claims;
}
