import { credentialsSchema, emptySchema, noQuerySchema, refreshSchema } from "../../routes/schemas.ts";
import { dependencyProblems } from "../implied-problems.ts";
import { json, jsonBody, nothing, type Operation } from "../operation.ts";
import { tokenGrant } from "../response-schemas.ts";

export const sessionOperations: readonly Operation[] = [
  {
    method: "post",
    path: "/auth/login",
    id: "signIn",
    tag: "Sessions",
    summary: "Signs in",
    description:
      "Upper and lower case of the address count as one. The same answer is given for an unknown address, a wrong password and a user who may not sign in.",
    caller: "anyone",
    query: noQuerySchema,
    body: jsonBody("Credentials", credentialsSchema, {
      email: "alice@example.com",
      password: "correct horse battery",
    }),
    answers: { 200: json("The tokens of a new session.", tokenGrant, { headers: ["Cache-Control"] }) },
    problems: ["credentials-invalid", "rate-limited", "too-busy", "no-signing-key", ...dependencyProblems],
  },
  {
    method: "post",
    path: "/auth/refresh",
    id: "refreshSession",
    tag: "Sessions",
    summary: "Exchanges a refresh token for new tokens",
    description:
      "The refresh token is spent by this; one that is used again ends its session, since somebody else may have it.",
    caller: "anyone",
    query: noQuerySchema,
    body: jsonBody("RefreshToken", refreshSchema, {
      refresh_token: "7Nf0J2o6cQm3c1Jx0ZkR9uY2b4W8tVhA5sEoLpQrTzU",
    }),
    answers: { 200: json("New tokens of the same session.", tokenGrant, { headers: ["Cache-Control"] }) },
    problems: ["refresh-token-invalid", "outbox-full", "no-signing-key", ...dependencyProblems],
  },
  {
    method: "post",
    path: "/auth/logout",
    id: "signOut",
    tag: "Sessions",
    summary: "Ends the session of the token that is sent",
    caller: "bearer",
    query: noQuerySchema,
    body: jsonBody("NoMembers", emptySchema, {}),
    answers: { 204: nothing("The session has ended; its tokens are about to be refused everywhere.") },
    problems: ["outbox-full", ...dependencyProblems],
  },
];
