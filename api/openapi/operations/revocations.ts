import { noQuerySchema, revocationQuerySchema } from "../../routes/schemas.ts";
import { ids } from "../example-ids.ts";
import { dependencyProblems } from "../implied-problems.ts";
import { json, type Operation } from "../operation.ts";
import { instanceList, pageOf, receipt } from "../response-schemas.ts";
import { accepted, reasonBody } from "../revoking.ts";

export const revocationOperations: readonly Operation[] = [
  {
    method: "post",
    path: "/tokens/:jti/revoke",
    id: "revokeToken",
    tag: "Revocations",
    summary: "Ends one access token",
    caller: "operator",
    query: noQuerySchema,
    body: reasonBody,
    answers: {
      202: accepted({ type: "token.revoked", jti: ids.jti }),
    },
    problems: dependencyProblems,
  },
  {
    method: "get",
    path: "/revocations",
    id: "listRevocations",
    tag: "Revocations",
    summary: "Lists receipts, the newest first",
    caller: "operator",
    query: revocationQuerySchema,
    answers: { 200: json("A page of receipts.", pageOf(receipt)) },
    problems: dependencyProblems,
  },
  {
    method: "get",
    path: "/revocations/:event_id",
    id: "getRevocation",
    tag: "Revocations",
    summary: "Shows a receipt as it stands now",
    caller: "operator",
    query: noQuerySchema,
    answers: { 200: json("The receipt.", receipt) },
    problems: dependencyProblems,
  },
  {
    method: "get",
    path: "/instances",
    id: "listInstances",
    tag: "Revocations",
    summary: "Lists the API instances, with how far each has followed the feed",
    caller: "operator",
    query: noQuerySchema,
    answers: { 200: json("Every instance that has not signed off.", instanceList) },
    problems: dependencyProblems,
  },
];
