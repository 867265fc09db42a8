import { mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePorts } from "./free-ports.ts";
import { endProcess, isAlive, type ProcessMark, spawnDetached } from "./processes.ts";
import type { Service } from "./service.ts";
import type { RunningService } from "./state.ts";

export interface StartContext {
  readonly folder: string;
  readonly programs: string;
  /** What the state file says about an earlier process of this service. */
  readonly known: RunningService | undefined;
  readonly note: (running: RunningService) => void;
  readonly log: (line: string) => void;
}

/**
 * Returns the port of the service, which answers by then. A service that died comes back on its data; if that does
 * not work (damaged data, a port taken by another program), it is made anew.
 */
export async function startService(name: string, service: Service, context: StartContext): Promise<number> {
  const { known, log } = context;
  if (known !== undefined && isAlive(known)) {
    try {
      await untilReady(service, known, 5000);
      return firstPort(known.ports);
    } catch (error) {
      log(`${name} (pid ${known.pid}) does not answer, starting it again: ${messageOf(error)}`);
      await endProcess(known);
    }
  }
  await service.install(context.programs, log);
  if (known !== undefined) {
    try {
      return await launch(name, service, context, known.ports);
    } catch (error) {
      log(`${name} does not come back on its data, making it anew: ${messageOf(error)}`);
    }
  }
  rmSync(dataFolder(name, context), { recursive: true, force: true });
  return launch(name, service, context, await freePorts(service.portCount));
}

async function launch(
  name: string,
  service: Service,
  context: StartContext,
  ports: readonly number[],
): Promise<number> {
  const data = dataFolder(name, context);
  mkdirSync(data, { recursive: true });
  const logFile = path.join(context.folder, `${name}.log`);
  rmSync(logFile, { force: true });
  const command = await service.prepare({ programs: context.programs, data, ports });
  const running = { ...(await spawnDetached({ ...command, logFile })), ports };
  context.note(running);
  try {
    await untilReady(service, running, service.readyWithinMs);
  } catch (error) {
    await endProcess(running);
    const lastWords = readFileSync(logFile, "utf8").slice(-1500);
    throw new Error(`${messageOf(error)}; ${logFile} ends with:\n${lastWords}`, { cause: error });
  }
  context.log(`${name} answers on port ${ports[0]} (pid ${running.pid})`);
  return firstPort(ports);
}

async function untilReady(
  service: Service,
  running: ProcessMark & { readonly ports: readonly number[] },
  limitMs: number,
): Promise<void> {
  const giveUpAt = performance.now() + limitMs;
  for (;;) {
    if (!isAlive(running)) throw new Error("the process has ended");
    try {
      await service.probe(running.ports);
      break;
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
    }
    await delay(100);
  }
  // Another program on that port may have answered in its place.
  if (!isAlive(running)) throw new Error("the process has ended");
}

function dataFolder(name: string, context: StartContext): string {
  return path.join(context.folder, "data", name);
}

function firstPort(ports: readonly number[]): number {
  const [port] = ports;
  if (port === undefined) throw new Error("a service without a port");
  return port;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
