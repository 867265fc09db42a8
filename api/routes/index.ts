import { Router } from "@koa/router";
import type { Oauth } from "../oauth/create-oauth.ts";
import type { RequestState } from "../request-state.ts";
import type { UseCases } from "../users/create-use-cases.ts";
import { type AuditRouteDeps, addAuditRoutes } from "./audit.ts";
import { type AuthDeps, addAuthRoutes } from "./auth.ts";
import { addDocumentationRoutes } from "./documentation.ts";
import { addEventRoutes, type EventRouteDeps } from "./events.ts";
import { addExplainRoutes, type ExplainRouteDeps } from "./explain.ts";
import { addMeRoutes, type MeDeps } from "./me.ts";
import { addOauthRoutes } from "./oauth.ts";
import { addOperationsRoutes, type OperationsDeps } from "./operations.ts";
import { addRevocationRoutes } from "./revocations.ts";
import type { AppRouter, Guards } from "./router.ts";
import { addSessionRoutes } from "./sessions.ts";
import { addUserRoutes, type UserRouteDeps } from "./users.ts";

export type RouteDeps = AuthDeps &
  MeDeps &
  UserRouteDeps &
  EventRouteDeps &
  AuditRouteDeps &
  ExplainRouteDeps &
  OperationsDeps & { readonly useCases: UseCases; readonly oauth: Oauth };

/**
 * The whole surface, letter for letter: no other case, no slash at the end.
 *
 * POST /auth/login  /auth/refresh  /auth/logout
 * GET  /me  /me/stream  /me/sessions   DELETE /me/sessions/:id
 * POST /users   GET /users  /users/:id   DELETE /users/:id
 * POST /users/:id/deactivate  /users/:id/sign-out  /users/:id/reactivate
 * GET  /users/:id/sessions   DELETE /users/:id/sessions/:sid
 * POST /tokens/:jti/revoke   GET /tokens/:jti/explain
 * GET  /revocations  /revocations/:event_id  /instances  /audit   POST /revocations/:event_id/confirm
 * POST /events
 * POST /oauth/token  /oauth/revoke  /oauth/introspect   GET /.well-known/oauth-authorization-server
 * GET  /.well-known/jwks.json  /livez  /readyz  /metrics  /problems/:slug
 * GET  /openapi.json  /docs
 */
export function createRoutes(guards: Guards, deps: RouteDeps): AppRouter {
  const router: AppRouter = new Router<RequestState>({ sensitive: true, strict: true });
  addAuthRoutes(router, guards, deps.useCases, deps);
  addMeRoutes(router, guards, deps);
  addUserRoutes(router, guards, deps.useCases, deps);
  addSessionRoutes(router, guards, deps.useCases, deps.receipts);
  addRevocationRoutes(router, guards, deps.useCases, deps.receipts);
  addEventRoutes(router, guards, deps);
  addExplainRoutes(router, guards, deps);
  addAuditRoutes(router, guards, deps);
  addOauthRoutes(router, deps.oauth);
  addOperationsRoutes(router, guards, deps);
  addDocumentationRoutes(router);
  return router;
}
