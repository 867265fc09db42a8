import { type ServiceSettings, serviceSettings } from "../../api/settings.ts";
import { engineSettings } from "../../shared/engine-settings.ts";
import { readSettings } from "../../shared/settings.ts";
import { administrator, namespace } from "./people.ts";

/** The product's own defaults, but for the limits of failed sign-ins. */
export function loadSettings(): ServiceSettings {
  const { HOST, NAMESPACE, TOKEN_ISSUER, SYNC_INTERVAL_MS, SHUTDOWN_GRACE_MS, LOG_LEVEL } = engineSettings;
  const table = {
    ...serviceSettings,
    HOST,
    NAMESPACE,
    TOKEN_ISSUER,
    SYNC_INTERVAL_MS,
    SHUTDOWN_GRACE_MS,
    LOG_LEVEL,
  };
  return {
    ...readSettings(table, { environment: {}, readFile: () => "" }),
    NAMESPACE: namespace,
    HOST: "127.0.0.1",
    // Counted in real time, which is not the simulation's.
    LOGIN_FAILURES_PER_ACCOUNT: 0,
    LOGIN_FAILURES_PER_ADDRESS: 0,
    ADMIN_EMAIL: administrator.email,
    ADMIN_PASSWORD: administrator.password,
  };
}
