import { emptySchema, noQuerySchema, sessionQuerySchema } from "../../routes/schemas.ts";
import { ids } from "../example-ids.ts";
import { dependencyProblems } from "../implied-problems.ts";
import { json, jsonBody, nothing, type Operation } from "../operation.ts";
import { uuidSchema } from "../path-parameters.ts";
import { accepted, reasonBody } from "../revoking.ts";
import { ownSessionPage, sessionPage } from "../session-schemas.ts";

const session = { description: "The session's id.", schema: uuidSchema, example: ids.sid };

export const accountSessionOperations: readonly Operation[] = [
  {
    method: "get",
    path: "/me/sessions",
    id: "listMySessions",
    tag: "Account",
    summary: "Lists one's own sessions",
    caller: "bearer",
    query: sessionQuerySchema,
    answers: { 200: json("A page of sessions.", ownSessionPage, { headers: ["Cache-Control"] }) },
    problems: ["forbidden", ...dependencyProblems],
  },
  {
    method: "delete",
    path: "/me/sessions/:id",
    ids: { id: session },
    id: "endMySession",
    tag: "Account",
    summary: "Ends one of one's own sessions",
    caller: "bearer",
    query: noQuerySchema,
    body: jsonBody("NoMembers", emptySchema, {}),
    answers: { 204: nothing("The session has ended; its tokens are about to be refused everywhere.") },
    problems: ["forbidden", "outbox-full", ...dependencyProblems],
  },
  {
    method: "get",
    path: "/users/:id/sessions",
    id: "listSessions",
    tag: "Users",
    summary: "Lists a user's sessions",
    caller: "operator",
    query: sessionQuerySchema,
    answers: { 200: json("A page of sessions.", sessionPage, { headers: ["Cache-Control"] }) },
    problems: dependencyProblems,
  },
  {
    method: "delete",
    path: "/users/:id/sessions/:sid",
    ids: { sid: session },
    id: "endSession",
    tag: "Users",
    summary: "Ends one of a user's sessions",
    caller: "operator",
    query: noQuerySchema,
    body: reasonBody,
    answers: {
      202: accepted({ type: "user.signed-out" }),
    },
    problems: dependencyProblems,
  },
];
