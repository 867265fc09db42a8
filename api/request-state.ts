import type Koa from "koa";
import type { StalenessPolicy } from "./blacklist/staleness-policy.ts";
import type { AccessTokenClaims } from "./tokens/claims.ts";
import type { VerifiedToken } from "./tokens/verify-once.ts";
import type { Operation } from "./users/operation.ts";

/** What the middleware leaves for what comes after it. */
export interface RequestState {
  requestId: string;
  /** Set by `requireToken`. */
  token?: VerifiedToken;
  /** What the request has passed; undefined on routes for everybody. */
  checks?: readonly Check[];
  /** Of a call with an Idempotency-Key. */
  operation?: Operation;
  /** That route's own; left by `requireFresh`. */
  stalenessPolicy?: StalenessPolicy | undefined;
}

/** The pattern of the route that was taken; undefined where none was. */
export function routeOf(ctx: object): string | undefined {
  return "_matchedRoute" in ctx && typeof ctx._matchedRoute === "string" ? ctx._matchedRoute : undefined;
}

export type Context = Koa.ParameterizedContext<RequestState>;
export type Middleware = Koa.Middleware<RequestState>;
/** Lets a request pass, or throws; waits for nothing. */
export type Check = (ctx: Context) => void;

/** The token that `requireToken` left; a route without it is a bug. */
export function verifiedTokenOf(ctx: { readonly state: RequestState }): VerifiedToken {
  if (ctx.state.token === undefined) throw new TypeError("this route lacks requireToken");
  return ctx.state.token;
}

export function claimsOf(ctx: { readonly state: RequestState }): AccessTokenClaims {
  return verifiedTokenOf(ctx).claims;
}

/**
 * To be called after each wait before something is changed: a body that comes slowly, or a process that stands still,
 * may outlast the token, its revocation and the instance's lease. Throws as what guards the route.
 */
export function checkAgain(ctx: Context): void {
  for (const check of ctx.state.checks ?? []) check(ctx);
}

/** Who asks, by his token, and in which request: for what is recorded of it. */
export function askedBy(ctx: Context): {
  readonly actor: string;
  readonly requestId: string;
  readonly operation: Operation | undefined;
  readonly checkAgain: () => void;
} {
  return {
    actor: claimsOf(ctx).sub,
    requestId: ctx.state.requestId,
    operation: ctx.state.operation,
    checkAgain: () => checkAgain(ctx),
  };
}
