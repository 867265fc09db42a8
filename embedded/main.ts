import { readFileSync } from "node:fs";
import { runUntilSignal } from "../shared/lifecycle.ts";
import { createLog } from "../shared/log.ts";
import { createPlatform } from "../shared/platform.ts";
import { orReportInvalid } from "../shared/settings.ts";
import { configureEmbedded } from "./configure.ts";
import { greetingOf } from "./greeting.ts";
import { startEmbedded } from "./start-embedded.ts";

const source = { environment: process.env, readFile: (path: string) => readFileSync(path, "utf8") };
const configured = await orReportInvalid(process, () => configureEmbedded(source));
if (configured !== null) {
  const { settings } = configured;
  const platform = createPlatform();
  const log = createLog({ level: settings.LOG_LEVEL, name: "embedded" });
  try {
    const running = await startEmbedded({ ...configured, platform, log });
    process.stdout.write(greetingOf(running));
    await runUntilSignal({
      running,
      graceMs: settings.SHUTDOWN_GRACE_MS,
      log,
      clock: platform.clock,
      process,
    });
  } catch (err) {
    log.error("process.start-failed", { err });
    process.exitCode = 1;
  }
}
