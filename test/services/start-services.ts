import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { startContainers, stopContainers } from "./containers.ts";
import { kafka } from "./kafka.ts";
import { mongo } from "./mongo.ts";
import { requirePrerequisites } from "./prerequisites.ts";
import { endProcess, isAlive, markOf } from "./processes.ts";
import { redis } from "./redis.ts";
import type { Service } from "./service.ts";
import { startService } from "./start-service.ts";
import {
  emptyState,
  readState,
  type ServiceName,
  type ServicesState,
  serviceNames,
  servicesFolder,
  withLock,
  writeState,
} from "./state.ts";

export interface ServiceUrls {
  readonly mongoUrl: string;
  readonly redisUrl: string;
  readonly kafkaBrokers: string;
}

export interface UsedServices extends ServiceUrls {
  /** Says that this process is done with them: they end with their last user, unless they were started by hand. */
  release(): Promise<void>;
}

export interface StartOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly log?: (line: string) => void;
  /** Started by hand: they stay until they are stopped by hand. */
  readonly keep?: boolean;
  readonly containers?: boolean;
}

const services: Record<ServiceName, Service> = { kafka, redis, mongo };

/** Starts what does not run yet, and returns once all three answer. */
export async function startServices(options: StartOptions = {}): Promise<UsedServices> {
  const { env = process.env, log = logToStderr, keep = false, containers = false } = options;
  const folder = servicesFolder(env);
  const me = markOf(process.pid);
  const urls = await withLock(folder, async () => {
    const before = readState(folder);
    const users = keep ? before.users : [...before.users.filter(isAlive), me];
    const state = { ...before, kept: before.kept || keep, users };
    writeState(folder, state);
    if (state.containers || (containers && Object.keys(state.services).length === 0)) {
      writeState(folder, { ...state, containers: true });
      return startContainers(log);
    }
    return startProcesses(folder, state, log);
  });
  return { ...urls, release: () => releaseServices(folder, log) };
}

/** Ends what was started from this folder, and removes its data; the downloads stay. */
export async function stopServices(env = process.env, log = logToStderr): Promise<void> {
  const folder = servicesFolder(env);
  await withLock(folder, () => stopAll(folder, log));
}

export interface ServiceStatus {
  readonly name: ServiceName;
  readonly pid: number | undefined;
  readonly port: number | undefined;
}

/** True when they run in containers instead of in processes of this machine. */
export function areInContainers(env = process.env): boolean {
  return readState(servicesFolder(env)).containers;
}

export function servicesStatus(env = process.env): readonly ServiceStatus[] {
  const { services: known } = readState(servicesFolder(env));
  return serviceNames.map((name) => {
    const running = known[name];
    if (running === undefined || !isAlive(running)) return { name, pid: undefined, port: undefined };
    return { name, pid: running.pid, port: running.ports[0] };
  });
}

async function startProcesses(
  folder: string,
  before: ServicesState,
  log: (line: string) => void,
): Promise<ServiceUrls> {
  let state = before;
  const programs = path.join(folder, "programs");
  mkdirSync(programs, { recursive: true });
  const absent = serviceNames.filter((name) => !isRunning(state, name));
  requirePrerequisites(
    absent.flatMap((name) => services[name].prerequisites(programs)),
    log,
  );
  const ports = await Promise.all(
    serviceNames.map((name) =>
      startService(name, services[name], {
        folder,
        programs,
        log,
        known: state.services[name],
        // Noted before it answers, so that `stop` finds it whatever happens to us.
        note: (running) => {
          state = { ...state, services: { ...state.services, [name]: running } };
          writeState(folder, state);
        },
      }),
    ),
  );
  const [kafkaPort, redisPort, mongoPort] = ports;
  return {
    mongoUrl: `mongodb://127.0.0.1:${mongoPort}`,
    redisUrl: `redis://127.0.0.1:${redisPort}`,
    kafkaBrokers: `127.0.0.1:${kafkaPort}`,
  };
}

function isRunning(state: ServicesState, name: ServiceName): boolean {
  const running = state.services[name];
  return running !== undefined && isAlive(running);
}

async function releaseServices(folder: string, log: (line: string) => void): Promise<void> {
  await withLock(folder, async () => {
    const state = readState(folder);
    const users = state.users.filter((user) => user.pid !== process.pid && isAlive(user));
    writeState(folder, { ...state, users });
    if (users.length === 0 && !state.kept) await stopAll(folder, log);
  });
}

async function stopAll(folder: string, log: (line: string) => void): Promise<void> {
  const state = readState(folder);
  if (state.containers) await stopContainers(log);
  await Promise.all(
    serviceNames.map(async (name) => {
      const running = state.services[name];
      if (running === undefined || !isAlive(running)) return;
      await endProcess(running);
      log(`${name} (pid ${running.pid}) ended`);
    }),
  );
  rmSync(path.join(folder, "data"), { recursive: true, force: true });
  writeState(folder, emptyState);
}

function logToStderr(line: string): void {
  process.stderr.write(`services: ${line}\n`);
}
