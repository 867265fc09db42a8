import {
  emptySchema,
  newUserSchema,
  noQuerySchema,
  reasonSchema,
  userQuerySchema,
  waitQuerySchema,
} from "../../routes/schemas.ts";
import { dependencyProblems } from "../implied-problems.ts";
import { json, jsonBody, type Operation } from "../operation.ts";
import { pageOf, pendingReceipt, receipt, user } from "../response-schemas.ts";

const reason = jsonBody("Reason", reasonSchema, { reason: "left the company" });
const pending = { headers: ["Location"], example: pendingReceipt } as const;

export const userOperations: readonly Operation[] = [
  {
    method: "post",
    path: "/users",
    id: "createUser",
    tag: "Users",
    summary: "Creates a user",
    caller: "admin",
    query: noQuerySchema,
    body: jsonBody("NewUser", newUserSchema, {
      email: "alice@example.com",
      password: "correct horse battery",
      roles: ["user"],
      external_ids: [{ iss: "https://idp.example.com", sub: "248289761001" }],
    }),
    answers: { 201: json("The user.", user, { headers: ["Location"] }) },
    problems: ["email-taken", "external-identity-taken", "too-busy", ...dependencyProblems],
  },
  {
    method: "get",
    path: "/users",
    id: "listUsers",
    tag: "Users",
    summary: "Lists users, ordered by id",
    caller: "operator",
    query: userQuerySchema,
    answers: { 200: json("A page of users.", pageOf(user)) },
    problems: dependencyProblems,
  },
  {
    method: "get",
    path: "/users/:id",
    id: "getUser",
    tag: "Users",
    summary: "Shows a user",
    caller: "operator",
    query: noQuerySchema,
    answers: { 200: json("The user.", user) },
    problems: dependencyProblems,
  },
  {
    method: "post",
    path: "/users/:id/deactivate",
    id: "deactivateUser",
    tag: "Users",
    summary: "Deactivates a user and ends all of his tokens",
    description:
      "With wait=enforced the answer comes once every instance refuses his tokens, or after timeout_ms. " +
      "Deactivating again changes nothing and answers with the same receipt.",
    caller: "operator",
    query: waitQuerySchema,
    body: reason,
    answers: {
      200: json("Enforced by every instance, or deactivated before.", receipt, { headers: ["Location"] }),
      202: json("Accepted; nothing of it can be lost.", receipt, pending),
    },
    problems: ["last-administrator", "administrator-busy", ...dependencyProblems],
  },
  {
    method: "post",
    path: "/users/:id/sign-out",
    id: "signOutUser",
    tag: "Users",
    summary: "Ends all tokens that a user has; he stays active",
    caller: "operator",
    query: noQuerySchema,
    body: reason,
    answers: { 202: json("Accepted; nothing of it can be lost.", receipt, pending) },
    problems: dependencyProblems,
  },
  {
    method: "post",
    path: "/users/:id/reactivate",
    id: "reactivateUser",
    tag: "Users",
    summary: "Lets a deactivated user sign in again",
    description: "Tokens from before stay refused; new ones work at once.",
    caller: "admin",
    query: noQuerySchema,
    body: jsonBody("NoMembers", emptySchema, {}),
    answers: { 200: json("The user.", user) },
    problems: dependencyProblems,
  },
  {
    method: "delete",
    path: "/users/:id",
    id: "deleteUser",
    tag: "Users",
    summary: "Deletes a user and ends all of his tokens",
    caller: "admin",
    query: noQuerySchema,
    body: reason,
    answers: {
      202: json("Accepted; nothing of it can be lost.", receipt, {
        ...pending,
        example: { ...pendingReceipt, type: "user.deleted" },
      }),
    },
    problems: ["last-administrator", "administrator-busy", ...dependencyProblems],
  },
];
