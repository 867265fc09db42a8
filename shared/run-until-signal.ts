import type { Running } from "./lifecycle.ts";
import type { Log } from "./log.ts";
import type { Platform } from "./ports/platform.ts";
import { reportIfInvalid } from "./settings.ts";

export interface SignalOptions extends Pick<Platform, "clock" | "timers"> {
  readonly running: Running;
  readonly graceMs: number;
  readonly log: Log;
  readonly process: NodeJS.Process;
  /** Aborted when nobody takes the log any more, with the error as its reason. */
  readonly logLost?: AbortSignal;
}

/**
 * Runs until the first SIGINT or SIGTERM, then drains. A Ctrl-C in a terminal arrives twice through npm, so
 * signals within a second of the first count as the first; a later one, or the end of the grace, exits with 1 and
 * names what was still open. What ends by itself, or throws where nobody catches it, exits with 1, or 78 for a fault
 * of the settings; what ended by itself has the same grace to close. Resolves when everything is closed; the exit code
 * is then set. A process whose log nobody takes drains as at a signal, and exits with 1.
 */
export async function runUntilSignal(options: SignalOptions): Promise<void> {
  const { running, log, process } = options;
  const exit = (event: string, fields: Record<string, unknown>) => {
    log.error(event, fields);
    process.exit(process.exitCode ?? 1);
  };
  const giveUp = (why: string) => exit("process.gave-up", { why, still_open: running.open });
  drainAtSignal(options, giveUp);
  process.on("unhandledRejection", (err) => exit("process.unhandled-rejection", { err }));
  process.on("uncaughtException", (err) => exit("process.uncaught-exception", { err }));
  try {
    await running.closed;
    log.info("process.stopped");
  } catch (err) {
    if (!reportIfInvalid(process, err)) {
      log.error(running.hasStarted === false ? "process.start-failed" : "process.ended", { err });
      process.exitCode = 1;
    }
    giveUpAfterGrace(options, giveUp);
    await running.close().catch((cause: unknown) => log.warn("process.close-failed", { err: cause }));
  }
}

type GiveUp = (why: string) => void;

function giveUpAfterGrace({ graceMs, timers }: SignalOptions, giveUp: GiveUp): void {
  timers.after(graceMs, () => giveUp(`not closed within ${graceMs} ms`));
}

function drainAtSignal(options: SignalOptions, giveUp: GiveUp): void {
  const { log, clock, process, logLost } = options;
  let firstAtMs: number | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    if (firstAtMs !== undefined) {
      if (clock.monotonicMs() - firstAtMs > 1_000) giveUp(`second ${signal}`);
      return;
    }
    firstAtMs = clock.monotonicMs();
    log.info("process.draining", { signal });
    drain(options, giveUp);
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  logLost?.addEventListener("abort", () => {
    log.error("process.log-lost", { err: logLost.reason });
    process.exitCode = 1;
    drain(options, giveUp);
  });
}

function drain(options: SignalOptions, giveUp: GiveUp): void {
  const { running, log, process } = options;
  giveUpAfterGrace(options, giveUp);
  running.close().catch((err: unknown) => {
    log.error("process.close-failed", { err });
    process.exitCode = 1;
  });
}
