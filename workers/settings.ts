import {
  engineSettings,
  kafkaCaNeedsTls,
  kafkaCredentialsBelongTogether,
  redisCaNeedsTls,
} from "../shared/engine-settings.ts";
import { holdSettings } from "../shared/hold-settings.ts";
import { integer, optional, readSettings, type SettingsOf, type SettingsSource } from "../shared/settings.ts";

export const workerSettings = {
  ...engineSettings,
  ...holdSettings,
  HEALTH_PORT: optional(
    integer(
      { min: 0, max: 65_535 },
      { description: "port of /livez, /readyz and /metrics; 9464, or a free one, unless set" },
    ),
  ),
  AUDIT_RETENTION_DAYS: integer(
    { min: 1, max: 36_500 },
    { description: "how many days the records of the audit are kept", default: 365 },
  ),
} as const;

export type WorkerSettings = SettingsOf<typeof workerSettings>;

/** Throws `config-invalid`, whose message lists every problem. */
export function loadWorkerSettings(source: SettingsSource): WorkerSettings {
  return readSettings(workerSettings, source, [
    kafkaCredentialsBelongTogether,
    kafkaCaNeedsTls,
    redisCaNeedsTls,
  ]);
}
