import { runProcess } from "../shared/run-process.ts";
import { loadApiSettings } from "./settings.ts";

await runProcess({
  name: "api",
  process,
  environment: process.env,
  async configure(source) {
    const settings = loadApiSettings(source);
    const { loadKeys } = await import("./tokens/load-keys.ts");
    return { settings, keys: await loadKeys(settings.SIGNING_KEYS_FILE, source) };
  },
  async start({ settings, keys }, context) {
    const [{ startApi }, { createArgon2Hasher }, { connectRedisFailureCounters }] = await Promise.all([
      import("./start-api.ts"),
      import("./users/password-hasher.ts"),
      import("../shared/redis/failure-counters.ts"),
    ]);
    return startApi({
      ...context,
      settings,
      keys,
      hasher: createArgon2Hasher(),
      openFailureCounters: () =>
        connectRedisFailureCounters({
          url: settings.REDIS_URL,
          namespace: settings.NAMESPACE,
          log: context.log,
        }),
    });
  },
});
