import { runProcess } from "../shared/run-process.ts";
import { loadApiSettings } from "./settings.ts";
import { startApi } from "./start-api.ts";
import { loadKeys } from "./tokens/load-keys.ts";
import { createArgon2Hasher } from "./users/password-hasher.ts";

await runProcess({
  name: "api",
  process,
  environment: process.env,
  async configure(source) {
    const settings = loadApiSettings(source);
    return { settings, keys: await loadKeys(settings.SIGNING_KEYS_FILE, source) };
  },
  start: ({ settings, keys }, context) =>
    startApi({ ...context, settings, keys, hasher: createArgon2Hasher() }),
});
