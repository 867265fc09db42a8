import type { ErrorCode } from "../../shared/errors.ts";
import { callers } from "./callers.ts";
import { takesIdempotencyKey } from "./implied-headers.ts";
import type { Operation } from "./operation.ts";

/** What any call can meet: mostly before a route is looked for. */
const ofAny: readonly ErrorCode[] = [
  "request-malformed",
  "request-timeout",
  "request-header-too-large",
  "uri-too-long",
  "internal-error",
];
const ofBody: readonly ErrorCode[] = [
  "body-malformed",
  "validation-failed",
  "unsupported-media-type",
  "request-too-large",
];

const ofIdempotencyKey: readonly ErrorCode[] = ["idempotency-in-progress", "idempotency-conflict"];

/** What goes without saying of an operation; each once. */
export function problemsOf(operation: Operation): readonly ErrorCode[] {
  const { caller, query, body, path, problems = [] } = operation;
  return [
    ...new Set<ErrorCode>([
      ...ofAny,
      ...callers[caller].problems,
      ...(query === undefined ? [] : (["validation-failed"] as const)),
      ...(body === undefined ? [] : ofBody),
      ...(takesIdempotencyKey(operation) ? ofIdempotencyKey : []),
      ...(path.includes(":") ? (["not-found"] as const) : []),
      ...problems,
    ]),
  ];
}

/** Of whatever reads or writes the database, the store or the event log. */
export const dependencyProblems = ["dependency-unavailable", "store-invalid"] as const;
