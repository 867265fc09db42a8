import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Service } from "../../services/service.ts";

/** A real server of this run's own, to be killed, suspended and started again on its data. */
export interface ServiceProcess {
  /** Where it keeps its data. */
  readonly data: string;
  /** Returns once it answers. */
  start(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Returns once the process has ended. */
  end(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
}

export interface ServicePlace {
  /** Downloads, kept between runs. */
  readonly programs: string;
  readonly folder: string;
  readonly logFolder: string;
  readonly ports: readonly number[];
}

/** On a busy machine a broker that was killed does not always come back at once. */
const startAttempts = 3;

export function createServiceProcess(name: string, service: Service, place: ServicePlace): ServiceProcess {
  const { programs, folder, logFolder, ports } = place;
  const data = path.join(folder, name);
  const logFile = path.join(logFolder, `${name}.log`);
  mkdirSync(data, { recursive: true });
  let child: ChildProcess | undefined;

  async function untilAnswers(running: ChildProcess): Promise<void> {
    const giveUpAt = performance.now() + service.readyWithinMs;
    for (;;) {
      try {
        return await service.probe(ports);
      } catch (cause) {
        if (hasEnded(running))
          throw new Error(`${name} ended at its start:\n${lastLines(logFile)}`, { cause });
        if (performance.now() > giveUpAt) throw new Error(`${name} does not answer`, { cause });
      }
      await delay(100);
    }
  }

  async function tryToStart(): Promise<void> {
    const { command, args, cwd } = await service.prepare({ programs, data, ports });
    const log = openSync(logFile, "a");
    child = spawn(command, args, { cwd, stdio: ["ignore", log, log] });
    closeSync(log);
    await untilAnswers(child);
  }

  async function end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const running = child;
    child = undefined;
    if (running === undefined || hasEnded(running)) return;
    const ended = once(running, "exit");
    running.kill(signal);
    const patience = setTimeout(() => running.kill("SIGKILL"), 10_000);
    await ended;
    clearTimeout(patience);
  }

  return {
    data,
    async start() {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await tryToStart();
        } catch (error) {
          await end("SIGKILL");
          if (attempt === startAttempts) throw error;
        }
      }
    },
    end,
    signal: (signal) => void child?.kill(signal),
  };
}

function lastLines(file: string): string {
  return readFileSync(file, "utf8").trimEnd().split("\n").slice(-20).join("\n");
}

export function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
