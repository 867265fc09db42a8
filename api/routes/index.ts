import { Router, type RouterContext } from "@koa/router";
import type { Middleware, RequestState } from "../request-state.ts";
import type { UseCases } from "../users/create-use-cases.ts";
import { addAuthRoutes } from "./auth.ts";
import { addMeRoutes, type MeDeps } from "./me.ts";
import { addOperationsRoutes, type OperationsDeps } from "./operations.ts";
import { addRevocationRoutes } from "./revocations.ts";
import { addUserRoutes, type UserRouteDeps } from "./users.ts";

export type AppRouter = Router<RequestState>;
export type RouteContext = RouterContext<RequestState>;

/** What stands in front of a protected route, in this order: fresh, token, not revoked, role. */
export interface Guards {
  readonly bearer: readonly Middleware[];
  readonly admin: readonly Middleware[];
}

export type RouteDeps = MeDeps & UserRouteDeps & OperationsDeps & { readonly useCases: UseCases };

/**
 * The whole surface:
 *
 * POST /auth/login  /auth/refresh  /auth/logout
 * GET  /me  /me/stream
 * POST /users   GET /users  /users/:id   DELETE /users/:id
 * POST /users/:id/deactivate  /users/:id/sign-out  /users/:id/reactivate
 * POST /tokens/:jti/revoke
 * GET  /revocations  /revocations/:event_id  /instances
 * GET  /.well-known/jwks.json  /livez  /readyz  /metrics  /problems/:slug
 */
export function createRoutes(guards: Guards, deps: RouteDeps): AppRouter {
  const router: AppRouter = new Router<RequestState>();
  router.use(noteRoute);
  addAuthRoutes(router, guards, deps.useCases);
  addMeRoutes(router, guards, deps);
  addUserRoutes(router, guards, deps.useCases, deps);
  addRevocationRoutes(router, guards, deps.useCases, deps.receipts);
  addOperationsRoutes(router, guards, deps);
  return router;
}

/** The pattern, not the path: metrics and logs count by it. */
async function noteRoute(ctx: RouteContext, next: () => Promise<unknown>): Promise<void> {
  ctx.state.route = String(ctx._matchedRoute ?? "none");
  await next();
}
