import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { freePorts } from "./free-ports.ts";
import { runCommand } from "./run-command.ts";
import type { ServiceUrls } from "./start-services.ts";

const composeFile = fileURLToPath(new URL("compose.yml", import.meta.url));
const compose = ["compose", "-f", composeFile];

/** A client may be installed without an engine or without its compose plug-in, so both are asked. */
export function hasContainerEngine(): boolean {
  return [["info"], ["compose", "version"]].every(
    (args) => spawnSync("docker", args, { stdio: "ignore", timeout: 10_000 }).status === 0,
  );
}

/** Returns once all three are healthy. Those that run already keep their ports. */
export async function startContainers(log: (line: string) => void): Promise<ServiceUrls> {
  const [kafka, redis, mongo] = (await publishedPorts()) ?? (await composeUp(log));
  return {
    mongoUrl: `mongodb://127.0.0.1:${mongo}`,
    redisUrl: `redis://127.0.0.1:${redis}`,
    kafkaBrokers: `127.0.0.1:${kafka}`,
  };
}

export async function stopContainers(log: (line: string) => void): Promise<void> {
  await runCommand("docker", [...compose, "down", "--volumes", "--timeout", "5"]);
  log("containers ended");
}

async function composeUp(log: (line: string) => void): Promise<readonly number[]> {
  log("starting containers of Kafka, Redis and MongoDB");
  const ports = await freePorts(3);
  const [kafka, redis, mongo] = ports;
  const settings = [`KAFKA_PORT=${kafka}`, `REDIS_PORT=${redis}`, `MONGO_PORT=${mongo}`];
  await runCommand("env", [...settings, "docker", ...compose, "up", "--detach", "--wait"]);
  return ports;
}

/** Undefined unless all three run and are healthy. */
async function publishedPorts(): Promise<readonly number[] | undefined> {
  const list = await runCommand("docker", [...compose, "ps", "--format", "{{.Service}} {{.Health}}"]);
  const healthy = list.split("\n").filter((line) => line.endsWith(" healthy"));
  if (healthy.length !== 3) return undefined;
  const wanted = [
    ["kafka", "9094"],
    ["redis", "6379"],
    ["mongo", "27017"],
  ];
  return Promise.all(
    wanted.map(async (target) => {
      const address = await runCommand("docker", [...compose, "port", ...target]);
      return Number(address.trim().split(":").at(-1));
    }),
  );
}
