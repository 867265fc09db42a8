import { AppError } from "../../shared/errors.ts";
import type { RoutePolicies } from "../blacklist/staleness-policy.ts";
import { protectedPatterns } from "./protected-patterns.ts";

/**
 * A pattern with a slip in it would change no route, and still let the whole fleet wait an hour for receipts. Throws
 * `config-invalid`, which names every unknown pattern and all that are known.
 */
export function checkRoutePolicies(policies: RoutePolicies): void {
  const known: readonly string[] = protectedPatterns;
  const unknown = Object.keys(policies).filter((pattern) => !known.includes(pattern));
  if (unknown.length === 0) return;
  const problems = unknown.map(
    (pattern) =>
      `- routePolicies names "${pattern}", which is no route with a token; those are ${known.join(", ")}.`,
  );
  throw new AppError("config-invalid", problems.join("\n"));
}
