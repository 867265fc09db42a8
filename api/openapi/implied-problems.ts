import type { ErrorCode } from "../../shared/errors.ts";
import { callers } from "./callers.ts";
import type { Operation } from "./operation.ts";

/** What any call can meet: mostly before a route is looked for. */
const ofAny: readonly ErrorCode[] = [
  "request-malformed",
  "request-timeout",
  "request-header-too-large",
  "internal-error",
];
const ofBody: readonly ErrorCode[] = [
  "body-malformed",
  "validation-failed",
  "unsupported-media-type",
  "request-too-large",
];

/** What goes without saying of an operation; each once. */
export function problemsOf({ caller, query, body, path, problems = [] }: Operation): readonly ErrorCode[] {
  return [
    ...new Set<ErrorCode>([
      ...ofAny,
      ...callers[caller].problems,
      ...(query === undefined ? [] : (["validation-failed"] as const)),
      ...(body === undefined ? [] : ofBody),
      ...(path.includes(":") ? (["not-found"] as const) : []),
      ...problems,
    ]),
  ];
}

/** Of whatever reads or writes the database, the store or the event log. */
export const dependencyProblems = ["dependency-unavailable", "store-invalid"] as const;
