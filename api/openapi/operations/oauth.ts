import { z } from "zod";
import { noQuerySchema } from "../../routes/schemas.ts";
import { authorizationServer, inactive, introspection, oauthError, serviceToken } from "../oauth-schemas.ts";
import { json, named, nothing, type Operation } from "../operation.ts";

const form = "application/x-www-form-urlencoded";
/** One without a value counts as left out (RFC 6749 §3.2). */
const text = z.string();
/** RFC 7523 §2.2: in place of HTTP Basic. Other parameters are ignored, but none may come twice (RFC 6749 §3.2). */
const assertion = {
  client_id: text.optional(),
  client_assertion_type: text.optional().meta({
    description:
      "urn:ietf:params:oauth:client-assertion-type:jwt-bearer, which a client_assertion cannot do without.",
  }),
  client_assertion: text.optional(),
};
const scope = text.regex(/^(?:(?:operator|emitter)(?: (?:operator|emitter))*)?$/);
const grantRequest = named(
  "ServiceTokenRequest",
  z
    .object({ grant_type: z.literal("client_credentials"), scope: scope.optional(), ...assertion })
    .catchall(text),
  { grant_type: "client_credentials", scope: "emitter" },
);
const tokenRequest = named(
  "TokenParameter",
  z.object({ token: text.min(1), token_type_hint: text.optional(), ...assertion }).catchall(text),
  { token: "eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6IjEifQ.eyJzdWIiOiIuLi4ifQ.c2lnbmF0dXJl" },
);

const headers = ["Cache-Control", "Pragma"] as const;
const refusal = (description: string, error: string) =>
  json(description, oauthError, {
    headers,
    example: { error, error_description: "The sentence says what to change." },
  });
const refusals = {
  400: refusal("A parameter is missing, repeated or not known (RFC 6749 §5.2).", "invalid_request"),
  401: json("The client is unknown, or its authentication is wrong.", oauthError, {
    headers: [...headers, "WWW-Authenticate"],
    example: { error: "invalid_client", error_description: "The client is unknown." },
  }),
  403: json("The client's roles do not allow this.", oauthError, {
    headers: [...headers, "WWW-Authenticate"],
    example: { error: "insufficient_scope", error_description: "The sentence says what to change." },
  }),
  413: refusal("The body is too large.", "invalid_request"),
  415: refusal("The body has a content encoding.", "invalid_request"),
  429: json("Too many attempts of this client, or from this address, failed.", oauthError, {
    headers: [...headers, "Retry-After", "RateLimit", "RateLimit-Policy"],
    example: { error: "temporarily_unavailable", error_description: "Too many attempts failed; wait 300 s." },
  }),
  503: json("It cannot be known now.", oauthError, {
    headers: [...headers, "Retry-After"],
    example: { error: "temporarily_unavailable", error_description: "Try again shortly." },
  }),
};

export const oauthOperations: readonly Operation[] = [
  {
    method: "post",
    path: "/oauth/token",
    id: "grantServiceToken",
    tag: "OAuth",
    summary: "Gives a client an access token of its own",
    description:
      "RFC 6749 §4.4. The scope names roles of the client; all of them unless given. 503 is also the answer of an " +
      "instance without a key that may sign (`no-signing-key`).",
    caller: "client",
    query: noQuerySchema,
    body: { contentType: form, content: grantRequest, isOptional: false },
    answers: { 200: json("An access token.", serviceToken, { headers }), ...refusals },
  },
  {
    method: "post",
    path: "/oauth/revoke",
    id: "revokeAnyToken",
    tag: "OAuth",
    summary: "Ends an access token or a refresh token",
    description: "RFC 7009. A token that is unknown or has ended is answered with 200 too.",
    caller: "clientOrToken",
    query: noQuerySchema,
    body: { contentType: form, content: tokenRequest, isOptional: false },
    answers: { 200: nothing("It is ended, if it was one.", headers), ...refusals },
  },
  {
    method: "post",
    path: "/oauth/introspect",
    id: "introspectToken",
    tag: "OAuth",
    summary: "Says whether an access token would be accepted now",
    description: "RFC 7662, by the very checks of the protected calls of this instance.",
    caller: "clientOrToken",
    query: noQuerySchema,
    body: { contentType: form, content: tokenRequest, isOptional: false },
    answers: {
      200: json("Its claims, or that it is not active.", introspection, { headers, example: inactive }),
      ...refusals,
    },
  },
  {
    method: "get",
    path: "/.well-known/oauth-authorization-server",
    id: "getAuthorizationServer",
    tag: "OAuth",
    summary: "Describes the OAuth endpoints",
    caller: "anyone",
    query: noQuerySchema,
    answers: { 200: json("RFC 8414.", authorizationServer, { headers: ["Cache-Control"] }) },
    problems: ["not-found"],
  },
];
