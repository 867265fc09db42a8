import { type ClientAddress, networkOf } from "../abuse/client-address.ts";
import type { FailureLimiter } from "../abuse/failure-limiter.ts";
import { claimsOf } from "../request-state.ts";
import type { UseCases } from "../users/create-use-cases.ts";
import { normaliseEmail } from "../users/email.ts";
import type { TokenGrant } from "../users/token-grant.ts";
import { clientOf } from "./client-of.ts";
import { readInput, readQuery } from "./input.ts";
import type { AppRouter, Guards } from "./router.ts";
import { credentialsSchema, emptySchema, noQuerySchema, refreshSchema } from "./schemas.ts";

export interface AuthDeps {
  readonly failureLimiter: FailureLimiter;
  readonly clientAddress: ClientAddress;
}

export function addAuthRoutes(
  router: AppRouter,
  guards: Guards,
  useCases: UseCases,
  { failureLimiter, clientAddress }: AuthDeps,
): void {
  router.post("/auth/login", async (ctx) => {
    readQuery(ctx, noQuerySchema);
    const credentials = await readInput(ctx, credentialsSchema);
    const keys = { address: networkOf(clientAddress(ctx.req)), account: normaliseEmail(credentials.email) };
    answerGrant(
      ctx,
      await failureLimiter.guard(keys, () =>
        useCases.signIn({
          ...credentials,
          requestId: ctx.state.requestId,
          client: clientOf(ctx, clientAddress),
        }),
      ),
    );
  });

  router.post("/auth/refresh", async (ctx) => {
    readQuery(ctx, noQuerySchema);
    const { refresh_token: refreshToken } = await readInput(ctx, refreshSchema);
    const { requestId } = ctx.state;
    answerGrant(
      ctx,
      await useCases.refreshSession({ refreshToken, requestId, client: clientOf(ctx, clientAddress) }),
    );
  });

  router.post("/auth/logout", ...guards.bearer, async (ctx) => {
    readQuery(ctx, noQuerySchema);
    await readInput(ctx, emptySchema);
    await useCases.signOutSession(claimsOf(ctx), ctx.state.requestId);
    ctx.status = 204;
  });
}

/** RFC 6749 §5.1: an answer that holds tokens is not stored. */
function answerGrant(
  ctx: { body: unknown; set(name: string, value: string): void },
  grant: TokenGrant,
): void {
  ctx.set("cache-control", "no-store");
  ctx.body = {
    access_token: grant.accessToken,
    token_type: "Bearer",
    expires_in: grant.expiresInSeconds,
    refresh_token: grant.refreshToken,
    refresh_expires_in: grant.refreshExpiresInSeconds,
  };
}
