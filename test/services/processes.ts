import { execFileSync, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** A process that can be told from a later one which got the same pid. */
export interface ProcessMark {
  readonly pid: number;
  readonly startedAt: string;
}

export interface DetachedCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly logFile: string;
}

/** Starts a process of its own session that writes to `logFile` only, so it outlives us and holds none of our pipes. */
export async function spawnDetached(wanted: DetachedCommand): Promise<ProcessMark> {
  const log = openSync(wanted.logFile, "a");
  try {
    const child = spawn(wanted.command, wanted.args, {
      cwd: wanted.cwd,
      detached: true,
      stdio: ["ignore", log, log],
    });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    child.unref();
    if (child.pid === undefined) throw new Error(`${wanted.command} has no pid`);
    return { pid: child.pid, startedAt: startOf(child.pid) ?? "ended at once" };
  } finally {
    closeSync(log);
  }
}

export function markOf(pid: number): ProcessMark {
  return { pid, startedAt: startOf(pid) ?? "" };
}

export function isAlive(mark: ProcessMark): boolean {
  return startOf(mark.pid) === mark.startedAt;
}

/** SIGTERM, then SIGKILL after `graceMs`; a pid that by now belongs to another process is left alone. */
export async function endProcess(mark: ProcessMark, graceMs = 5000): Promise<void> {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    if (!isAlive(mark)) return;
    process.kill(mark.pid, signal);
    const giveUpAt = performance.now() + graceMs;
    while (isAlive(mark) && performance.now() < giveUpAt) await delay(25);
  }
  if (isAlive(mark)) throw new Error(`process ${mark.pid} does not end`);
}

function startOf(pid: number): string | undefined {
  if (existsSync("/proc/self/stat")) return startInProc(pid);
  try {
    return execFileSync("ps", ["-p", String(pid), "-o", "lstart="], { encoding: "utf8" }).trim() || undefined;
  } catch {
    return undefined; // ps exits 1 when there is no such process
  }
}

function startInProc(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined; // no such process
  }
  // proc(5): the command may hold blanks and brackets; after it come the state (field 3) and, as field 22, the start.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" ? undefined : fields[19];
}
