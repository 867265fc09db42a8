import { engineSettings, redisCaNeedsTls } from "../../shared/engine-settings.ts";
import { readSettings, type SettingsOf, type SettingsSource } from "../../shared/settings.ts";

const { MONGO_URL, REDIS_URL, REDIS_CA_FILE, NAMESPACE, TOKEN_ISSUER } = engineSettings;
const digestSettings = { MONGO_URL, REDIS_URL, REDIS_CA_FILE, NAMESPACE, TOKEN_ISSUER } as const;

export type DigestSettings = SettingsOf<typeof digestSettings>;

/** As the workers have them. Throws `config-invalid`, whose message lists every problem. */
export function loadDigestSettings(source: SettingsSource): DigestSettings {
  return readSettings(digestSettings, source, [redisCaNeedsTls]);
}
