import { readFileSync } from "node:fs";
import type { Audit } from "../../shared/audit/audit.ts";
import { createAuditRecorder } from "../../shared/audit/audit-recorder.ts";
import { engineSettings } from "../../shared/engine-settings.ts";
import { AppError } from "../../shared/errors.ts";
import { silentLog } from "../../shared/log.ts";
import { createMetrics } from "../../shared/metrics.ts";
import type { Database } from "../../shared/ports/database.ts";
import type { Platform } from "../../shared/ports/platform.ts";
import { orReportInvalid, readSettings, type SettingsSource } from "../../shared/settings.ts";

const { MONGO_URL, NAMESPACE } = engineSettings;

export interface CommandContext {
  readonly process: NodeJS.Process;
  readonly environment: SettingsSource["environment"];
  readonly platform: Platform;
}

export interface OpenDatabase {
  readonly database: Database;
  readonly namespace: string;
  readonly audit: Audit;
}

/** Runs the command on the database that the environment names; what stops it is one line, and exit code 1. */
export async function withDatabase(
  { process, environment, platform }: CommandContext,
  run: (open: OpenDatabase) => Promise<void>,
): Promise<void> {
  const source: SettingsSource = { environment, readFile: (path) => readFileSync(path, "utf8") };
  const settings = await orReportInvalid(process, () =>
    Promise.resolve(readSettings({ MONGO_URL, NAMESPACE }, source, [])),
  );
  if (settings === null) return;
  const { connectMongo } = await import("../../shared/mongo/database.ts");
  const namespace = settings.NAMESPACE;
  const database = await connectMongo({ url: settings.MONGO_URL, namespace, log: silentLog, ...platform });
  const audit = createAuditRecorder({
    ...platform,
    store: database.audit,
    process: "command",
    instanceId: platform.ids.uuid(),
    log: { ...silentLog, error: (event) => void process.stderr.write(`warning: ${event}\n`) },
    metrics: createMetrics({ withProcessMetrics: false }),
  });
  try {
    await run({ database, namespace, audit });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const why = error.cause instanceof Error ? ` (${error.cause.message})` : "";
    process.stderr.write(`error: ${error.message}${why}\n`);
    process.exitCode = 1;
  } finally {
    await audit.close();
    await database.close();
  }
}
