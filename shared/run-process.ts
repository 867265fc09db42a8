import { readFileSync } from "node:fs";
import type { EngineSettings } from "./engine-settings.ts";
import { kafkaAddress } from "./kafka/address.ts";
import type { KafkaOptions } from "./kafka/client.ts";
import { type Closers, createClosers, type Running, startRunning } from "./lifecycle.ts";
import { createLog, type Log } from "./log.ts";
import { createPlatform } from "./platform.ts";
import type { Parts } from "./ports/parts.ts";
import type { Platform } from "./ports/platform.ts";
import { type RedisAddress, redisAddress } from "./redis/address.ts";
import { runUntilSignal } from "./run-until-signal.ts";
import { orReportInvalid, type SettingsSource } from "./settings.ts";

export interface ProcessOptions<C extends { readonly settings: EngineSettings }> {
  readonly name: "api" | "worker";
  readonly process: NodeJS.Process;
  readonly environment: SettingsSource["environment"];
  /** Throws `config-invalid`. */
  configure(source: SettingsSource): C | Promise<C>;
  start(configuration: C, context: ProcessContext): Promise<Running>;
}

export interface ProcessContext {
  readonly platform: Platform;
  readonly log: Log;
  readonly parts: Parts;
}

/**
 * A process of the real system, from the environment to its exit code: 78 when the settings are not valid, 1 when it
 * could not start, ended by itself, or did not close in time, 0 after a drain.
 */
export async function runProcess<C extends { readonly settings: EngineSettings }>(
  options: ProcessOptions<C>,
): Promise<void> {
  const { process, name, environment } = options;
  const source: SettingsSource = { environment, readFile: (path) => readFileSync(path, "utf8") };
  const configured = await orReportInvalid(process, async () => {
    const configuration = await options.configure(source);
    return {
      configuration,
      kafka: kafkaAddress(configuration.settings, source),
      redis: redisAddress(configuration.settings, source),
    };
  });
  if (configured === null) return;
  const { configuration } = configured;
  const { settings } = configuration;
  const logLost = new AbortController();
  const log = createLog({ level: settings.LOG_LEVEL, name, onLost: (error) => logLost.abort(error) });
  const platform = createPlatform();
  const closers = createClosers(log);
  const clientId = `${settings.NAMESPACE}-${name}`;
  const { kafka, redis } = configured;
  const deps = { closers, log, platform, redis, kafka: { ...kafka, clientId } };

  // A signal from here on, also in the middle of the start, closes what is open by then.
  await runUntilSignal({
    running: startRunning({ closers, start }),
    graceMs: settings.SHUTDOWN_GRACE_MS,
    log,
    logLost: logLost.signal,
    ...platform,
    process,
  });

  async function start(signal: AbortSignal): Promise<Running | null> {
    const parts = await connectParts(settings, deps);
    if (signal.aborted) return null;
    const running = await options.start(configuration, { platform, log, parts });
    closers.add(name, () => running.close());
    return running;
  }
}

interface ConnectDeps {
  readonly closers: Closers;
  readonly log: Log;
  readonly platform: Platform;
  readonly redis: RedisAddress;
  readonly kafka: Omit<KafkaOptions, "log" | "timers" | "ids">;
}

async function connectParts(
  settings: EngineSettings,
  { closers, log, platform, redis, kafka }: ConnectDeps,
): Promise<Parts> {
  const namespace = settings.NAMESPACE;
  const { connectKafka, connectMongo, connectRedisStore } = await loadClients();
  const database = await connectMongo({ url: settings.MONGO_URL, namespace, log, ...platform });
  closers.add("mongodb", () => database.close());
  const store = await connectRedisStore({ ...redis, namespace, log, ...platform });
  closers.add("redis", () => store.close());
  const eventLog = connectKafka({ ...kafka, log, timers: platform.timers, ids: platform.ids });
  closers.add("kafka", () => eventLog.close());
  return { database, store, eventLog };
}

/** Loaded once the settings are good: a slip in them is to be told at once, and these libraries take their time. */
async function loadClients() {
  const [kafka, mongo, redis] = await Promise.all([
    import("./kafka/event-log.ts"),
    import("./mongo/database.ts"),
    import("./redis/revocation-store.ts"),
  ]);
  return { ...kafka, ...mongo, ...redis };
}
