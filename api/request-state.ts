import type Koa from "koa";
import type { StalenessPolicy } from "./blacklist/staleness-policy.ts";
import type { AccessTokenClaims } from "./tokens/claims.ts";

/** What the middleware leaves for what comes after it. */
export interface RequestState {
  requestId: string;
  /** Set by `requireToken`. */
  claims?: AccessTokenClaims;
  /** The pattern of the route that was taken. */
  route?: string;
  /** That route's own; left by `requireFresh`. */
  stalenessPolicy?: StalenessPolicy | undefined;
}

export type Context = Koa.ParameterizedContext<RequestState>;
export type Middleware = Koa.Middleware<RequestState>;

/** The claims that `requireToken` left; a route without it is a bug. */
export function claimsOf(ctx: { readonly state: RequestState }): AccessTokenClaims {
  if (ctx.state.claims === undefined) throw new TypeError("this route lacks requireToken");
  return ctx.state.claims;
}
