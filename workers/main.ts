import { readFileSync } from "node:fs";
import { AppError } from "../shared/errors.ts";
import { connectKafka } from "../shared/kafka/event-log.ts";
import { createClosers, runUntilSignal } from "../shared/lifecycle.ts";
import { createLog, type Log } from "../shared/log.ts";
import { connectMongo } from "../shared/mongo/database.ts";
import { createPlatform } from "../shared/platform.ts";
import type { Platform } from "../shared/ports/platform.ts";
import { connectRedisStore } from "../shared/redis/revocation-store.ts";
import { configInvalidExitCode } from "../shared/settings.ts";
import { loadWorkerSettings, type WorkerSettings } from "./settings.ts";
import { type RunningWorker, startWorker } from "./start-worker.ts";

await main();

async function main(): Promise<void> {
  const settings = readEnvironment();
  if (settings === null) return;
  const platform = createPlatform();
  const log = createLog({ level: settings.LOG_LEVEL, name: "worker" });
  try {
    const running = await start(settings, platform, log);
    const { clock } = platform;
    await runUntilSignal({ running, graceMs: settings.SHUTDOWN_GRACE_MS, log, clock, process });
  } catch (err) {
    log.error("worker.start-failed", { err });
    process.exitCode = 1;
  }
}

function readEnvironment(): WorkerSettings | null {
  try {
    const readFile = (path: string) => readFileSync(path, "utf8");
    return loadWorkerSettings({ environment: process.env, readFile });
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "config-invalid") throw error;
    process.stderr.write(`The settings are not valid:\n${error.message}\n`);
    process.exitCode = configInvalidExitCode;
    return null;
  }
}

async function start(settings: WorkerSettings, platform: Platform, log: Log): Promise<RunningWorker> {
  const { clock, timers } = platform;
  const namespace = settings.NAMESPACE;
  const closers = createClosers(log);
  try {
    const database = await connectMongo({ url: settings.MONGO_URL, namespace, log, timers });
    closers.add("mongodb", () => database.close());
    const store = await connectRedisStore({ url: settings.REDIS_URL, namespace, log, clock, timers });
    closers.add("redis", () => store.close());
    const eventLog = connectKafka({ ...kafkaOptions(settings), log, timers });
    closers.add("kafka", () => eventLog.close());
    const worker = await startWorker({
      settings: {
        namespace,
        issuer: settings.TOKEN_ISSUER,
        syncIntervalMs: settings.SYNC_INTERVAL_MS,
        health: { host: settings.HOST, port: settings.HEALTH_PORT },
      },
      platform,
      log,
      parts: { database, store, eventLog },
    });
    closers.add("worker", () => worker.close());
    return {
      ...worker,
      closed: worker.closed.then(() => closers.close()),
      close: () => closers.close(),
      get open() {
        return [...worker.open, ...closers.open];
      },
    };
  } catch (error) {
    await closers.close();
    throw error;
  }
}

function kafkaOptions(settings: WorkerSettings) {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_USERNAME: username, KAFKA_PASSWORD: password } = settings;
  const ca = settings.KAFKA_CA_FILE;
  const hasCredentials = mechanism !== undefined && username !== undefined && password !== undefined;
  return {
    brokers: settings.KAFKA_BROKERS,
    namespace: settings.NAMESPACE,
    clientId: `${settings.NAMESPACE}-worker`,
    ...(settings.KAFKA_TLS ? { tls: ca === undefined ? {} : { caPem: readFileSync(ca, "utf8") } } : {}),
    ...(hasCredentials ? { sasl: { mechanism, username, password } } : {}),
  };
}
