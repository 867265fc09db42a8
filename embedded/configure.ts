import { generateJwks } from "../api/keys/generate-jwks.ts";
import { type KeySet, parseKeys } from "../api/tokens/keys.ts";
import { loadKeys } from "../api/tokens/load-keys.ts";
import type { SettingsSource } from "../shared/settings.ts";
import { type EmbeddedSettings, loadEmbeddedSettings } from "./settings.ts";

/** The settings, and the keys that they name or that are made for this run. Throws `config-invalid`. */
export async function configureEmbedded(
  source: SettingsSource,
): Promise<{ readonly settings: EmbeddedSettings; readonly keys: KeySet }> {
  const settings = loadEmbeddedSettings(source);
  const path = settings.SIGNING_KEYS_FILE;
  const keys =
    path === undefined ? await parseKeys(await generateJwks("RS256")) : await loadKeys(path, source);
  return { settings, keys };
}
