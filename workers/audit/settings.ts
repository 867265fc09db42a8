import { engineSettings } from "../../shared/engine-settings.ts";
import { readSettings, type SettingsOf, type SettingsSource } from "../../shared/settings.ts";

const { MONGO_URL, NAMESPACE } = engineSettings;
const auditSettings = { MONGO_URL, NAMESPACE } as const;

export type AuditSettings = SettingsOf<typeof auditSettings>;

/** As the workers have them. Throws `config-invalid`, whose message lists every problem. */
export function loadAuditSettings(source: SettingsSource): AuditSettings {
  return readSettings(auditSettings, source, []);
}
