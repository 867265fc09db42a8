import type { Check, Middleware } from "../request-state.ts";

/** What a request has to pass, in this order, as one step: each step more would cost every request a promise. */
export function createGuard(checks: readonly Check[]): Middleware {
  return function guard(ctx, next) {
    ctx.state.checks = checks;
    for (const check of checks) check(ctx);
    return next();
  };
}
