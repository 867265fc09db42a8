import { integer, type Setting, type SettingsOf, text } from "../../shared/settings.ts";
import { parseTrustProxy } from "./client-address.ts";
import type { FailureLimits } from "./failure-limiter.ts";

const most = 1_000_000;
const originPattern = /^https?:\/\/[a-z0-9.-]+(?::\d{1,5})?$/;

/** Against those who try too much. */
export const abuseSettings = {
  LOGIN_FAILURES_PER_ACCOUNT: integer(
    { min: 0, max: most },
    { description: "failed sign-ins of an account or a client within 5 minutes; 0: no limit", default: 10 },
  ),
  LOGIN_FAILURES_PER_ADDRESS: integer(
    { min: 0, max: most },
    { description: "failed sign-ins from an address within a minute; 0: no limit", default: 100 },
  ),
  TRUST_PROXY: text("a number of proxies, or addresses and subnets separated by commas", {
    description: "which proxies' X-Forwarded-For is believed; 0: nobody's",
    default: "0",
    pattern: { test: (given) => parseTrustProxy(given) !== undefined },
  }),
  CORS_ORIGINS: originList("the web origins whose pages may call this API; none unless set"),
  MAX_CONNECTIONS: integer(
    { min: 1, max: most },
    { description: "connections that are open at once; more are closed", default: 10_000 },
  ),
} as const;

export type AbuseSettings = SettingsOf<typeof abuseSettings>;

export function failureLimitsOf(
  settings: Pick<AbuseSettings, "LOGIN_FAILURES_PER_ACCOUNT" | "LOGIN_FAILURES_PER_ADDRESS">,
): FailureLimits {
  const perAccount = { failures: settings.LOGIN_FAILURES_PER_ACCOUNT, windowSeconds: 300 };
  return {
    account: perAccount,
    client: perAccount,
    address: { failures: settings.LOGIN_FAILURES_PER_ADDRESS, windowSeconds: 60 },
  };
}

/** Empty unless set. */
function originList(description: string): Setting<readonly string[]> {
  const expected = "origins such as https://app.example.com, separated by commas";
  const list = text(expected, {
    description,
    default: "",
    pattern: { test: (given) => originsIn(given).every((origin) => originPattern.test(origin)) },
  });
  return { ...list, defaultText: undefined, parse: (given) => originsIn(list.parse(given)) };
}

function originsIn(given: string): string[] {
  return given === "" ? [] : given.split(",").map((origin) => origin.trim());
}
