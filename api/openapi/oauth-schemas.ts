import { z } from "zod";
import { ids } from "./example-ids.ts";
import { named } from "./operation.ts";

export const oauthError = named(
  "OauthError",
  z.strictObject({ error: z.string(), error_description: z.string() }),
  { error: "invalid_request", error_description: "The parameter token is missing." },
);

export const serviceToken = named(
  "ServiceToken",
  z.strictObject({
    access_token: z.string(),
    token_type: z.literal("Bearer"),
    expires_in: z.int().nonnegative().meta({ description: "Seconds." }),
    scope: z.string().optional(),
  }),
  {
    access_token: "eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6IjEifQ.eyJzdWIiOiIuLi4ifQ.c2lnbmF0dXJl",
    token_type: "Bearer",
    expires_in: 900,
    scope: "emitter",
  },
);

/** RFC 7662 §2.2: of an inactive token nothing more is told. */
export const inactive = { active: false };
export const introspection = named(
  "Introspection",
  z.looseObject({
    active: z.boolean(),
    scope: z.string().optional(),
    sub: z.string().optional(),
    jti: z.string().optional(),
    exp: z.int().optional(),
  }),
  { active: true, token_type: "Bearer", scope: "user", sub: ids.user, jti: ids.jti, exp: 1_772_367_300 },
);

/** RFC 8414 §2: more members may come. */
export const authorizationServer = named(
  "AuthorizationServer",
  z.looseObject({
    issuer: z.string(),
    token_endpoint: z.string(),
    revocation_endpoint: z.string(),
    introspection_endpoint: z.string(),
    jwks_uri: z.string(),
    grant_types_supported: z.array(z.string()),
    response_types_supported: z.array(z.string()),
    scopes_supported: z.array(z.string()),
  }),
  {
    issuer: "https://quash.example.com",
    token_endpoint: "https://quash.example.com/oauth/token",
    revocation_endpoint: "https://quash.example.com/oauth/revoke",
    introspection_endpoint: "https://quash.example.com/oauth/introspect",
    jwks_uri: "https://quash.example.com/.well-known/jwks.json",
    grant_types_supported: ["client_credentials"],
    response_types_supported: [],
    scopes_supported: ["operator", "emitter"],
  },
);
