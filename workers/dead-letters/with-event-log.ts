import { readFileSync } from "node:fs";
import { AppError } from "../../shared/errors.ts";
import { kafkaAddress } from "../../shared/kafka/address.ts";
import { silentLog } from "../../shared/log.ts";
import type { EventLog } from "../../shared/ports/event-log.ts";
import type { Platform } from "../../shared/ports/platform.ts";
import { orReportInvalid, type SettingsSource } from "../../shared/settings.ts";
import { CommandFault } from "../command-fault.ts";
import { loadDeadLetterSettings } from "./settings.ts";

export interface CommandContext {
  readonly process: NodeJS.Process;
  readonly environment: SettingsSource["environment"];
  readonly platform: Platform;
}

/** Runs one command on the log that the environment names; what stops it is one line, and exit code 1. */
export async function withEventLog(
  { process, environment, platform }: CommandContext,
  run: (eventLog: EventLog) => Promise<void>,
): Promise<void> {
  const source: SettingsSource = { environment, readFile: (path) => readFileSync(path, "utf8") };
  const address = await orReportInvalid(process, async () =>
    kafkaAddress(loadDeadLetterSettings(source), source),
  );
  if (address === null) return;
  const { connectKafka } = await import("../../shared/kafka/event-log.ts");
  const clientId = `${address.namespace}-dead-letters`;
  const eventLog = connectKafka({ ...address, ...platform, clientId, log: silentLog });
  try {
    await run(eventLog);
  } catch (error) {
    process.stderr.write(`error: ${lineOf(error, address.brokers)}\n`);
    process.exitCode = 1;
  } finally {
    await eventLog.close();
  }
}

function lineOf(error: unknown, brokers: readonly string[]): string {
  if (error instanceof CommandFault) return error.message;
  if (!(error instanceof AppError) || error.code !== "dependency-unavailable") throw error;
  const why = error.cause instanceof Error ? error.cause.message : "no answer";
  return `Kafka at ${brokers.join(", ")} did not do as asked: ${why}`;
}
