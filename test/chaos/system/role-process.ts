import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import path from "node:path";
import { hasEnded } from "./service-process.ts";

/** An API instance or a worker, with somebody who starts it again when it ends by itself. */
export interface RoleProcess {
  start(): void;
  signal(signal: NodeJS.Signals): void;
  /** Ends it and leaves it ended. */
  end(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
}

export interface RoleOptions {
  readonly entry: string;
  readonly env: Readonly<Record<string, string>>;
  readonly logFolder: string;
  readonly onEnd: (how: string) => void;
}

const restartAfterMs = 500;

export function createRoleProcess(name: string, { entry, env, logFolder, onEnd }: RoleOptions): RoleProcess {
  let child: ChildProcess | undefined;
  let isWanted = false;

  function start(): void {
    isWanted = true;
    const log = openSync(path.join(logFolder, `${name}.log`), "a");
    const started = spawn(process.execPath, ["--import", "tsx", entry], {
      env: { PATH: process.env["PATH"], ...env },
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    child = started;
    started.once("exit", (code, signal) => {
      if (!isWanted || child !== started) return;
      onEnd(`ended with ${code ?? signal}`);
      setTimeout(() => {
        if (isWanted && child === started) start();
      }, restartAfterMs);
    });
  }

  return {
    start,
    signal: (signal) => void child?.kill(signal),
    async end(signal) {
      isWanted = false;
      if (child === undefined || hasEnded(child)) return;
      const running = child;
      const ended = once(running, "exit");
      running.kill(signal);
      const patience = setTimeout(() => running.kill("SIGKILL"), 15_000);
      await ended;
      clearTimeout(patience);
    },
  };
}
