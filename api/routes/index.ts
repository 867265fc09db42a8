import { Router } from "@koa/router";
import type { RequestState } from "../request-state.ts";
import type { UseCases } from "../users/create-use-cases.ts";
import { type AuditRouteDeps, addAuditRoutes } from "./audit.ts";
import { addAuthRoutes } from "./auth.ts";
import { addExplainRoutes, type ExplainRouteDeps } from "./explain.ts";
import { addMeRoutes, type MeDeps } from "./me.ts";
import { addOperationsRoutes, type OperationsDeps } from "./operations.ts";
import { addRevocationRoutes } from "./revocations.ts";
import type { AppRouter, Guards } from "./router.ts";
import { addUserRoutes, type UserRouteDeps } from "./users.ts";

export type RouteDeps = MeDeps &
  UserRouteDeps &
  OperationsDeps &
  AuditRouteDeps &
  ExplainRouteDeps & { readonly useCases: UseCases };

/**
 * The whole surface, letter for letter: no other case, no slash at the end.
 *
 * POST /auth/login  /auth/refresh  /auth/logout
 * GET  /me  /me/stream
 * POST /users   GET /users  /users/:id   DELETE /users/:id
 * POST /users/:id/deactivate  /users/:id/sign-out  /users/:id/reactivate
 * POST /tokens/:jti/revoke   GET /tokens/:jti/explain
 * GET  /revocations  /revocations/:event_id  /instances  /audit
 * GET  /.well-known/jwks.json  /livez  /readyz  /metrics  /problems/:slug
 */
export function createRoutes(guards: Guards, deps: RouteDeps): AppRouter {
  const router: AppRouter = new Router<RequestState>({ sensitive: true, strict: true });
  addAuthRoutes(router, guards, deps.useCases);
  addMeRoutes(router, guards, deps);
  addUserRoutes(router, guards, deps.useCases, deps);
  addRevocationRoutes(router, guards, deps.useCases, deps.receipts);
  addExplainRoutes(router, guards, deps);
  addAuditRoutes(router, guards, deps);
  addOperationsRoutes(router, guards, deps);
  return router;
}
