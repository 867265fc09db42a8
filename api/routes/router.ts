import type { Router, RouterContext } from "@koa/router";
import type { Middleware, RequestState } from "../request-state.ts";

export type AppRouter = Router<RequestState>;
export type RouteContext = RouterContext<RequestState>;

/** What stands in front of a protected route, in this order: fresh, token, not revoked, role. */
export interface Guards {
  readonly bearer: readonly Middleware[];
  readonly admin: readonly Middleware[];
  /** For those who may only tell of events, and for administrators. */
  readonly emitter: readonly Middleware[];
}
