import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createKeyWatch } from "../api/keys/key-watch.ts";
import { createClosers, type Running, startRunning } from "../shared/lifecycle.ts";
import { createLog } from "../shared/log.ts";
import { createPlatform } from "../shared/platform.ts";
import { runUntilSignal } from "../shared/run-until-signal.ts";
import { orReportInvalid } from "../shared/settings.ts";
import { configureEmbedded } from "./configure.ts";
import { greetingOf } from "./greeting.ts";
import { startEmbedded } from "./start-embedded.ts";

const source = { environment: process.env, readFile: (path: string) => readFileSync(path, "utf8") };
const configured = await orReportInvalid(process, () => configureEmbedded(source));
if (configured !== null) await run(configured);

async function run(configuration: Awaited<ReturnType<typeof configureEmbedded>>): Promise<void> {
  const { settings } = configuration;
  const platform = createPlatform();
  const logLost = new AbortController();
  const onLost = (error: Error) => logLost.abort(error);
  const log = createLog({ level: settings.LOG_LEVEL, name: "embedded", onLost });
  const closers = createClosers(log);
  const keyUpdates = watchKeys();
  await runUntilSignal({
    running: startRunning({ closers, start }),
    graceMs: settings.SHUTDOWN_GRACE_MS,
    log,
    logLost: logLost.signal,
    ...platform,
    process,
  });

  function watchKeys() {
    const path = settings.SIGNING_KEYS_FILE;
    if (path === undefined) return undefined;
    const watch = createKeyWatch({ ...platform, path, readFile: (given) => readFile(given, "utf8"), log });
    process.on("SIGHUP", () => void watch.reload());
    return watch;
  }

  async function start(signal: AbortSignal): Promise<Running> {
    const running = await startEmbedded({ ...configuration, platform, log, keyUpdates });
    closers.add("embedded", () => running.close());
    if (!signal.aborted) process.stdout.write(greetingOf(running));
    return running;
  }
}
