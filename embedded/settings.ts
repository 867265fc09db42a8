import { routePoliciesNameRoutes } from "../api/routes/route-policies.ts";
import {
  administratorIsWhole,
  type ServiceSettings,
  serviceSettings,
  stalenessLeavesRoomForASync,
} from "../api/settings.ts";
import { engineSettings } from "../shared/engine-settings.ts";
import { optional, readSettings, type SettingsOf, type SettingsSource, text } from "../shared/settings.ts";
import { workerSettings } from "../workers/settings.ts";

const { NAMESPACE, TOKEN_ISSUER, SYNC_INTERVAL_MS, SHUTDOWN_GRACE_MS, LOG_LEVEL } = engineSettings;

export const embeddedSettings = {
  ...serviceSettings,
  AUDIT_RETENTION_DAYS: workerSettings.AUDIT_RETENTION_DAYS,
  NAMESPACE,
  TOKEN_ISSUER,
  SYNC_INTERVAL_MS,
  SHUTDOWN_GRACE_MS,
  LOG_LEVEL: { ...LOG_LEVEL, parse: (given: string | undefined) => LOG_LEVEL.parse(given || "warn") },
  HOLD_ABOVE_USERS_PER_MINUTE: {
    ...serviceSettings.HOLD_ABOVE_USERS_PER_MINUTE,
    parse: (given: string | undefined) => serviceSettings.HOLD_ABOVE_USERS_PER_MINUTE.parse(given || "0"),
  },
  HOST: text("an address", { description: "the address to listen on", default: "127.0.0.1" }),
  SIGNING_KEYS_FILE: optional(
    text("the path of a file", {
      description: "a JWK Set with private keys; made for this run unless given",
    }),
  ),
} as const;

export type EmbeddedSettings = SettingsOf<typeof embeddedSettings> & ServiceSettings;

/** Throws `config-invalid`, whose message lists every problem. */
export function loadEmbeddedSettings(source: SettingsSource): EmbeddedSettings {
  return readSettings(embeddedSettings, source, [
    stalenessLeavesRoomForASync,
    administratorIsWhole,
    routePoliciesNameRoutes,
  ]);
}
