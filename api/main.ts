import { readFile } from "node:fs/promises";
import { redisAddress } from "../shared/redis/address.ts";
import { runProcess } from "../shared/run-process.ts";
import { loadApiSettings } from "./settings.ts";

/** Listened for from the beginning: without a listener the signal would end the process. */
let reloadKeys: () => void = () => undefined;
process.on("SIGHUP", () => reloadKeys());

await runProcess({
  name: "api",
  process,
  environment: process.env,
  async configure(source) {
    const settings = loadApiSettings(source);
    const { loadKeys } = await import("./tokens/load-keys.ts");
    const keys = await loadKeys(settings.SIGNING_KEYS_FILE, source);
    return { settings, keys, redis: redisAddress(settings, source) };
  },
  async start({ settings, keys, redis }, context) {
    const [{ startApi }, { createKeyWatch }, { createArgon2Hasher }, { connectRedisFailureCounters }] =
      await Promise.all([
        import("./start-api.ts"),
        import("./keys/key-watch.ts"),
        import("./users/password-hasher.ts"),
        import("../shared/redis/failure-counters.ts"),
      ]);
    const keyUpdates = createKeyWatch({
      ...context.platform,
      path: settings.SIGNING_KEYS_FILE,
      readFile: (path) => readFile(path, "utf8"),
      log: context.log,
    });
    reloadKeys = () => void keyUpdates.reload();
    return startApi({
      ...context,
      settings,
      keys,
      keyUpdates,
      hasher: createArgon2Hasher(),
      openFailureCounters: () =>
        connectRedisFailureCounters({ ...redis, namespace: settings.NAMESPACE, log: context.log }),
    });
  },
});
