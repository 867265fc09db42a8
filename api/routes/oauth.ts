import { AppError } from "../../shared/errors.ts";
import type { Origin } from "../oauth/authenticate-client.ts";
import { clientCredentialsOf } from "../oauth/client-credentials.ts";
import type { Oauth } from "../oauth/create-oauth.ts";
import { OauthError } from "../oauth/oauth-error.ts";
import { readForm, requireParameter } from "../oauth/read-form.ts";
import { createReportOauthErrors } from "../oauth/report-oauth-errors.ts";
import type { Context } from "../request-state.ts";
import { readQuery } from "./input.ts";
import type { AppRouter } from "./router.ts";
import { noQuerySchema } from "./schemas.ts";

export function addOauthRoutes(router: AppRouter, oauth: Oauth): void {
  const inOauthsWords = createReportOauthErrors(oauth);
  const originOf = ({ req, state: { requestId } }: Pick<Context, "req" | "state">): Origin => ({
    address: oauth.clientAddress(req),
    requestId,
  });

  /** RFC 6749 §4.4. */
  router.post("/oauth/token", inOauthsWords, async (ctx) => {
    readQuery(ctx, noQuerySchema);
    const form = await readForm(ctx.req);
    const credentials = clientCredentialsOf(ctx.req, form);
    if (requireParameter(form, "grant_type") !== "client_credentials") {
      throw new OauthError("unsupported_grant_type", "The grant_type must be client_credentials.");
    }
    const granted = await oauth.grantServiceToken({
      credentials,
      origin: originOf(ctx),
      scope: form.get("scope"),
    });
    ctx.body = {
      access_token: granted.accessToken,
      token_type: "Bearer",
      expires_in: granted.expiresInSeconds,
      ...(granted.scope !== undefined && { scope: granted.scope }),
    };
  });

  /** RFC 7009. The hint is not needed: no refresh token looks like an access token. */
  router.post("/oauth/revoke", inOauthsWords, async (ctx) => {
    readQuery(ctx, noQuerySchema);
    const form = await readForm(ctx.req);
    const caller = await oauth.readCaller(ctx.req, form, originOf(ctx));
    const { requestId } = ctx.state;
    await oauth.revokeAnyToken(requireParameter(form, "token"), { ...caller, requestId });
    ctx.status = 200;
    ctx.body = "";
  });

  /** RFC 7662. */
  router.post("/oauth/introspect", inOauthsWords, async (ctx) => {
    readQuery(ctx, noQuerySchema);
    const form = await readForm(ctx.req);
    const caller = await oauth.readCaller(ctx.req, form, originOf(ctx));
    ctx.body = oauth.introspectToken(requireParameter(form, "token"), caller);
  });

  /** RFC 8414. */
  router.get([...oauth.metadataPaths], (ctx) => {
    readQuery(ctx, noQuerySchema);
    if (oauth.metadata === null)
      throw new AppError("not-found", "TOKEN_ISSUER is no address, so there is none.");
    ctx.set("cache-control", "public, max-age=300");
    ctx.body = oauth.metadata;
  });
}
