import { randomUUID } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isAlive, markOf, type ProcessMark } from "./processes.ts";

export const serviceNames = ["kafka", "redis", "mongo"] as const;
export type ServiceName = (typeof serviceNames)[number];

export interface RunningService extends ProcessMark {
  readonly ports: readonly number[];
}

/** What runs now, and for whom. `kept` services were started by hand and end by hand; others end with their last user. */
export interface ServicesState {
  readonly services: Partial<Record<ServiceName, RunningService>>;
  readonly containers: boolean;
  readonly kept: boolean;
  readonly users: readonly ProcessMark[];
}

export const emptyState: ServicesState = { services: {}, containers: false, kept: false, users: [] };

/** Downloads and data live here: QUASH_SERVICES_DIR, else the user's cache folder. */
export function servicesFolder(env: NodeJS.ProcessEnv): string {
  const cache = env["XDG_CACHE_HOME"] || path.join(homedir(), ".cache");
  const folder = path.resolve(env["QUASH_SERVICES_DIR"] || path.join(cache, "quash-services"));
  mkdirSync(folder, { recursive: true });
  return folder;
}

export function readState(folder: string): ServicesState {
  const text = readIfThere(path.join(folder, "state.json"));
  if (text === undefined) return emptyState;
  try {
    return { ...emptyState, ...(JSON.parse(text) as Partial<ServicesState>) };
  } catch (cause) {
    throw new Error(`${folder}/state.json is damaged; end what still runs from it, then delete the file`, {
      cause,
    });
  }
}

/** Only the holder of the lock may write. */
export function writeState(folder: string, state: ServicesState): void {
  const file = path.join(folder, "state.json");
  writeFileSync(`${file}.${process.pid}`, `${JSON.stringify(state, null, 2)}\n`);
  renameSync(`${file}.${process.pid}`, file);
}

/** Runs `body` while no other process does so for the same folder; a lock whose holder has died is taken over. */
export async function withLock<T>(folder: string, body: () => Promise<T>): Promise<T> {
  const lock = path.join(folder, "lock");
  const mine = `${lock}.${randomUUID()}`;
  const mark = JSON.stringify(markOf(process.pid));
  writeFileSync(mine, mark);
  try {
    while (!tryLink(mine, lock)) {
      removeIfStale(lock);
      await delay(100);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  try {
    return await body();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** link(2) fails when the target exists, so exactly one of several contenders gets the lock. */
function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  }
}

function removeIfStale(lock: string): void {
  const holder = readIfThere(lock);
  if (holder === undefined || isAlive(JSON.parse(holder) as ProcessMark)) return;
  const aside = `${lock}.stale.${randomUUID()}`;
  try {
    renameSync(lock, aside);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return;
    throw error;
  }
  // Between our look and the rename somebody else may have taken over: theirs goes back.
  if (readFileSync(aside, "utf8") !== holder) tryLink(aside, lock);
  rmSync(aside, { force: true });
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
