import { runProcess } from "../shared/run-process.ts";
import { loadWorkerSettings } from "./settings.ts";
import { startWorker } from "./start-worker.ts";

await runProcess({
  name: "worker",
  process,
  environment: process.env,
  configure: (source) => ({ settings: loadWorkerSettings(source) }),
  start: ({ settings }, context) =>
    startWorker({
      ...context,
      settings: {
        namespace: settings.NAMESPACE,
        issuer: settings.TOKEN_ISSUER,
        syncIntervalMs: settings.SYNC_INTERVAL_MS,
        health: { host: settings.HOST, port: settings.HEALTH_PORT },
      },
    }),
});
