import {
  type EngineSettings,
  engineSettings,
  kafkaCaNeedsTls,
  kafkaCredentialsBelongTogether,
  redisCaNeedsTls,
} from "../shared/engine-settings.ts";
import { holdSettings } from "../shared/hold-settings.ts";
import {
  type CrossFieldRule,
  choice,
  integer,
  optional,
  readSettings,
  type SettingsOf,
  type SettingsSource,
  text,
} from "../shared/settings.ts";
import { abuseSettings } from "./abuse/settings.ts";
import { stalenessPolicies } from "./blacklist/staleness-policy.ts";
import { routePoliciesNameRoutes, routePolicyList } from "./routes/route-policies.ts";
import { longestTokenLifetimeSeconds } from "./tokens/longest-lifetime.ts";
import { isAcceptableEmail } from "./users/email.ts";
import { isAcceptablePassword, maxPasswordBytes, minPasswordBytes } from "./users/password.ts";

/** How long the store may take to answer a sync: with less than that to spare, a lease would run out by itself. */
export const syncDeadlineMs = 1_000;

/** What an API instance is told apart from where its engines are. */
export const serviceSettings = {
  PORT: integer(
    { min: 0, max: 65_535 },
    { description: "where to listen; 0 takes a free one", default: 3_000 },
  ),
  TOKEN_AUDIENCE: text("a text without spaces", {
    description: "`aud` of the tokens that are issued and accepted",
    default: "quash",
    pattern: /^\S{1,512}$/,
  }),
  TOKEN_LIFETIME_SECONDS: integer(
    { min: 1, max: longestTokenLifetimeSeconds },
    { description: "how long an access token lives", default: 900 },
  ),
  REFRESH_LIFETIME_SECONDS: integer(
    { min: 60, max: 366 * 86_400 },
    { description: "how long a session can be refreshed", default: 2_592_000 },
  ),
  REFRESH_IDLE_SECONDS: integer(
    { min: 60, max: 366 * 86_400 },
    { description: "how long a session lives that is not refreshed", default: 1_209_600 },
  ),
  REFRESH_RETRY_SECONDS: integer(
    { min: 0, max: 60 },
    { description: "how long a refresh that is sent again gets the same answer; 0: never", default: 10 },
  ),
  CLOCK_TOLERANCE_SECONDS: integer(
    { min: 0, max: 60 },
    { description: "how far two instances' clocks may lie apart", default: 5 },
  ),
  ADMIN_EMAIL: optional(
    text("an e-mail address", {
      description: "the first administrator, created if there is none",
      pattern: { test: isAcceptableEmail },
    }),
  ),
  ADMIN_PASSWORD: optional(
    text(`${minPasswordBytes} to ${maxPasswordBytes} bytes`, {
      description: "the first administrator's password",
      isSecret: true,
      pattern: { test: isAcceptablePassword },
    }),
  ),
  MAX_STALENESS_MS: integer(
    { min: 500, max: 600_000 },
    { description: "how old an instance's view may be before it refuses", default: 5_000 },
  ),
  STALENESS_POLICY: choice(stalenessPolicies, {
    description: "what an instance does beyond that: refuse, or go on for an hour",
    default: "strict",
  }),
  ROUTE_POLICIES: routePolicyList(
    "the routes, by their patterns, for which another policy holds, such as /me=best_effort,/users/:id=strict",
  ),
  ...holdSettings,
  BLACKLIST_CEILING_MB: integer(
    { min: 1, max: 1_048_576 },
    {
      description: "megabytes of blacklist above which an alarm is raised; nothing is forgotten",
      default: 512,
    },
  ),
  ...abuseSettings,
} as const;

export const apiSettings = {
  ...engineSettings,
  ...serviceSettings,
  SIGNING_KEYS_FILE: text("the path of a file", {
    description: "a JWK Set with private keys, the first signs; `npm run keys -- generate` makes one",
  }),
} as const;

export type ApiSettings = SettingsOf<typeof apiSettings>;
export type ServiceSettings = SettingsOf<typeof serviceSettings> &
  Pick<
    EngineSettings,
    "HOST" | "NAMESPACE" | "TOKEN_ISSUER" | "SYNC_INTERVAL_MS" | "SHUTDOWN_GRACE_MS" | "LOG_LEVEL"
  >;

/** A lease that ends before a late sync could renew it would make every instance refuse in turn. */
export const stalenessLeavesRoomForASync: CrossFieldRule<ServiceSettings> = (settings) =>
  settings.MAX_STALENESS_MS < settings.SYNC_INTERVAL_MS + syncDeadlineMs
    ? `MAX_STALENESS_MS is ${settings.MAX_STALENESS_MS}; expected at least SYNC_INTERVAL_MS and the ${syncDeadlineMs} ms that a sync may take`
    : null;

export const administratorIsWhole: CrossFieldRule<ServiceSettings> = (settings) =>
  (settings.ADMIN_EMAIL === undefined) === (settings.ADMIN_PASSWORD === undefined)
    ? null
    : "ADMIN_EMAIL and ADMIN_PASSWORD are set together, or none of them";

/** Throws `config-invalid`, whose message lists every problem. */
export function loadApiSettings(source: SettingsSource): ApiSettings {
  return readSettings(apiSettings, source, [
    stalenessLeavesRoomForASync,
    administratorIsWhole,
    routePoliciesNameRoutes,
    kafkaCredentialsBelongTogether,
    kafkaCaNeedsTls,
    redisCaNeedsTls,
  ]);
}
