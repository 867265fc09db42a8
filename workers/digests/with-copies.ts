import { readFileSync } from "node:fs";
import { AppError, isRetriable } from "../../shared/errors.ts";
import { silentLog } from "../../shared/log.ts";
import type { Database } from "../../shared/ports/database.ts";
import type { Platform } from "../../shared/ports/platform.ts";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import { redisAddress } from "../../shared/redis/address.ts";
import { orReportInvalid, type SettingsSource } from "../../shared/settings.ts";
import { CommandFault } from "../command-fault.ts";
import { type DigestSettings, loadDigestSettings } from "./settings.ts";

export interface CommandContext {
  readonly process: NodeJS.Process;
  readonly environment: SettingsSource["environment"];
  readonly platform: Platform;
}

export interface Copies {
  readonly settings: DigestSettings;
  readonly database: Database;
  readonly store: RevocationStore;
}

/** Not 1, which says that the copies differ. */
const faultExitCode = 2;

/** Runs the command on the servers that the environment names; what stops it is one line, and exit code 2. */
export async function withCopies(
  { process, environment, platform }: CommandContext,
  run: (copies: Copies) => Promise<void>,
): Promise<void> {
  const source: SettingsSource = { environment, readFile: (path) => readFileSync(path, "utf8") };
  const configured = await orReportInvalid(process, () => {
    const loaded = loadDigestSettings(source);
    return Promise.resolve({ settings: loaded, redis: redisAddress(loaded, source) });
  });
  if (configured === null) return;
  const { settings, redis } = configured;
  const { connectMongo } = await import("../../shared/mongo/database.ts");
  const { connectRedisStore } = await import("../../shared/redis/revocation-store.ts");
  const common = { namespace: settings.NAMESPACE, log: silentLog, ...platform };
  const database = await connectMongo({ ...common, url: settings.MONGO_URL });
  const store = await connectRedisStore({ ...common, ...redis });
  try {
    await run({ settings, database, store });
  } catch (error) {
    process.stderr.write(`error: ${lineOf(error)}\n`);
    process.exitCode = faultExitCode;
  } finally {
    await Promise.all([database.close(), store.close()]);
  }
}

function lineOf(error: unknown): string {
  if (error instanceof CommandFault) return error.message;
  if (!(error instanceof AppError) || !isRetriable(error)) throw error;
  const why = error.cause instanceof Error ? `: ${error.cause.message}` : "";
  return `${error.message}${why}`;
}
