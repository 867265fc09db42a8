import { Router } from "@koa/router";
import type { RequestState } from "../request-state.ts";
import type { UseCases } from "../users/create-use-cases.ts";
import { addAuthRoutes } from "./auth.ts";
import { addDocumentationRoutes } from "./documentation.ts";
import { addMeRoutes, type MeDeps } from "./me.ts";
import { addOperationsRoutes, type OperationsDeps } from "./operations.ts";
import { addRevocationRoutes } from "./revocations.ts";
import type { AppRouter, Guards } from "./router.ts";
import { addUserRoutes, type UserRouteDeps } from "./users.ts";

export type RouteDeps = MeDeps & UserRouteDeps & OperationsDeps & { readonly useCases: UseCases };

/**
 * The whole surface, letter for letter: no other case, no slash at the end.
 *
 * POST /auth/login  /auth/refresh  /auth/logout
 * GET  /me  /me/stream
 * POST /users   GET /users  /users/:id   DELETE /users/:id
 * POST /users/:id/deactivate  /users/:id/sign-out  /users/:id/reactivate
 * POST /tokens/:jti/revoke
 * GET  /revocations  /revocations/:event_id  /instances
 * GET  /.well-known/jwks.json  /livez  /readyz  /metrics  /problems/:slug
 * GET  /openapi.json  /docs
 */
export function createRoutes(guards: Guards, deps: RouteDeps): AppRouter {
  const router: AppRouter = new Router<RequestState>({ sensitive: true, strict: true });
  addAuthRoutes(router, guards, deps.useCases);
  addMeRoutes(router, guards, deps);
  addUserRoutes(router, guards, deps.useCases, deps);
  addRevocationRoutes(router, guards, deps.useCases, deps.receipts);
  addOperationsRoutes(router, guards, deps);
  addDocumentationRoutes(router);
  return router;
}
