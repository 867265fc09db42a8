import { engineSettings } from "../../shared/engine-settings.ts";
import { readSettings, type SettingsOf, type SettingsSource } from "../../shared/settings.ts";
import { workerSettings } from "../settings.ts";

const { MONGO_URL, NAMESPACE } = engineSettings;
const { AUDIT_RETENTION_DAYS } = workerSettings;
const auditSettings = { MONGO_URL, NAMESPACE, AUDIT_RETENTION_DAYS } as const;

export type AuditSettings = SettingsOf<typeof auditSettings>;

/** As the workers have them. Throws `config-invalid`, whose message lists every problem. */
export function loadAuditSettings(source: SettingsSource): AuditSettings {
  return readSettings(auditSettings, source, []);
}
