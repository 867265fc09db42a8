import { claimsOf } from "../request-state.ts";
import type { UseCases } from "../users/create-use-cases.ts";
import type { TokenGrant } from "../users/token-grant.ts";
import { clientOf } from "./client-of.ts";
import { readInput, readQuery } from "./input.ts";
import type { AppRouter, Guards } from "./router.ts";
import { credentialsSchema, emptySchema, noQuerySchema, refreshSchema } from "./schemas.ts";

export function addAuthRoutes(router: AppRouter, guards: Guards, useCases: UseCases): void {
  router.post("/auth/login", async (ctx) => {
    readQuery(ctx, noQuerySchema);
    const credentials = await readInput(ctx, credentialsSchema);
    answerGrant(ctx, await useCases.signIn({ ...credentials, client: clientOf(ctx) }));
  });

  router.post("/auth/refresh", async (ctx) => {
    readQuery(ctx, noQuerySchema);
    const { refresh_token: refreshToken } = await readInput(ctx, refreshSchema);
    answerGrant(ctx, await useCases.refreshSession({ refreshToken, client: clientOf(ctx) }));
  });

  router.post("/auth/logout", ...guards.bearer, async (ctx) => {
    readQuery(ctx, noQuerySchema);
    await readInput(ctx, emptySchema);
    await useCases.signOutSession(claimsOf(ctx));
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
