import { runProcess } from "../shared/run-process.ts";
import { loadWorkerSettings } from "./settings.ts";

await runProcess({
  name: "worker",
  process,
  environment: process.env,
  configure: (source) => ({ settings: loadWorkerSettings(source) }),
  async start({ settings }, context) {
    const { startWorker } = await import("./start-worker.ts");
    return startWorker({
      ...context,
      settings: {
        namespace: settings.NAMESPACE,
        issuer: settings.TOKEN_ISSUER,
        syncIntervalMs: settings.SYNC_INTERVAL_MS,
        holds: settings,
        auditRetentionDays: settings.AUDIT_RETENTION_DAYS,
        health: { host: settings.HOST, port: settings.HEALTH_PORT },
      },
    });
  },
});
