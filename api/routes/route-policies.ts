import { type Setting, text } from "../../shared/settings.ts";
import { type RoutePolicies, stalenessPolicies } from "../blacklist/staleness-policy.ts";
import { protectedPatterns } from "./protected-patterns.ts";

const forms = stalenessPolicies.map((policy) => `route=${policy}`).join(" or ");
const expected = `${forms}, several separated by commas, each route once`;

/** Empty unless set. */
export function routePolicyList(description: string): Setting<RoutePolicies> {
  const list = text(expected, {
    description,
    default: "",
    pattern: { test: (given) => policiesIn(given) !== undefined },
  });
  return { ...list, defaultText: undefined, parse: (given) => policiesIn(list.parse(given)) ?? {} };
}

/**
 * A pattern with a slip in it would change no route, and still let the whole fleet wait an hour for receipts: the
 * sentence names each of those, and all patterns that are known.
 */
export function routePoliciesNameRoutes(settings: { readonly ROUTE_POLICIES: RoutePolicies }): string | null {
  const known: readonly string[] = protectedPatterns;
  const unknown = Object.keys(settings.ROUTE_POLICIES).filter((pattern) => !known.includes(pattern));
  if (unknown.length === 0) return null;
  return `ROUTE_POLICIES names ${unknown.join(", ")}: no route that wants a token; those are ${known.join(", ")}`;
}

/** Undefined where it is no list of policies. */
function policiesIn(given: string): RoutePolicies | undefined {
  if (given === "") return {};
  const pairs = given.split(",").map((pair) => {
    const [route, named, ...more] = pair.trim().split("=");
    const policy = more.length === 0 ? stalenessPolicies.find((one) => one === named) : undefined;
    return route?.startsWith("/") && policy !== undefined ? ([route, policy] as const) : undefined;
  });
  const whole = pairs.filter((pair) => pair !== undefined);
  const policies = Object.fromEntries(whole);
  return Object.keys(policies).length === pairs.length ? policies : undefined;
}
