import type { Router, RouterContext } from "@koa/router";
import type { Middleware, RequestState } from "../request-state.ts";

export type AppRouter = Router<RequestState>;
export type RouteContext = RouterContext<RequestState>;

/** What stands in front of a protected route, in this order: fresh, token, not revoked, role. */
export interface Guards {
  readonly bearer: readonly Middleware[];
  readonly admin: readonly Middleware[];
  /** Who reads and revokes: operators and administrators. */
  readonly operator: readonly Middleware[];
  /** Who publishes events: emitters and administrators. */
  readonly emitter: readonly Middleware[];
}
