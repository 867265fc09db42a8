import { Router } from "@koa/router";
import type { Oauth } from "../oauth/create-oauth.ts";
import type { RequestState } from "../request-state.ts";
import type { UseCases } from "../users/create-use-cases.ts";
import { addAuthRoutes } from "./auth.ts";
import { addMeRoutes, type MeDeps } from "./me.ts";
import { addOauthRoutes } from "./oauth.ts";
import { addOperationsRoutes, type OperationsDeps } from "./operations.ts";
import { addRevocationRoutes } from "./revocations.ts";
import type { AppRouter, Guards } from "./router.ts";
import { addSessionRoutes } from "./sessions.ts";
import { addUserRoutes, type UserRouteDeps } from "./users.ts";

export type RouteDeps = MeDeps &
  UserRouteDeps &
  OperationsDeps & { readonly useCases: UseCases; readonly oauth: Oauth };

/**
 * The whole surface, letter for letter: no other case, no slash at the end.
 *
 * POST /auth/login  /auth/refresh  /auth/logout
 * GET  /me  /me/stream  /me/sessions   DELETE /me/sessions/:id
 * POST /users   GET /users  /users/:id   DELETE /users/:id
 * POST /users/:id/deactivate  /users/:id/sign-out  /users/:id/reactivate
 * GET  /users/:id/sessions   DELETE /users/:id/sessions/:sid
 * POST /tokens/:jti/revoke
 * GET  /revocations  /revocations/:event_id  /instances
 * POST /oauth/token  /oauth/revoke  /oauth/introspect   GET /.well-known/oauth-authorization-server
 * GET  /.well-known/jwks.json  /livez  /readyz  /metrics  /problems/:slug
 */
export function createRoutes(guards: Guards, deps: RouteDeps): AppRouter {
  const router: AppRouter = new Router<RequestState>({ sensitive: true, strict: true });
  addAuthRoutes(router, guards, deps.useCases);
  addMeRoutes(router, guards, deps);
  addUserRoutes(router, guards, deps.useCases, deps);
  addSessionRoutes(router, guards, deps.useCases, deps.receipts);
  addRevocationRoutes(router, guards, deps.useCases, deps.receipts);
  addOauthRoutes(router, deps.oauth);
  addOperationsRoutes(router, guards, deps);
  return router;
}
