import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Kafka, logLevel } from "kafkajs";
import type { UsedServices } from "../../services/start-services.ts";
import { eventually } from "../../support/eventually.ts";
import { removeNamespace } from "../sides/store.ts";
import type { Course } from "./measure.ts";

const partitions = 6;
const fileOf = (name: string) => fileURLToPath(new URL(`../sides/${name}.ts`, import.meta.url));

/** The bare way from Kafka over Redis to so many processes, each of which ends a response. */
export async function openFloor(
  services: UsedServices,
  namespace: string,
  instances: number,
): Promise<Course> {
  const topic = `${namespace}.floor`;
  const children: ChildProcess[] = [];
  const start = (name: string, ...args: string[]) => {
    const child = fork(fileOf(name), args, { execArgv: ["--import", "tsx"] });
    children.push(child);
    return once(child, "message").then(([message]: unknown[]) => message);
  };
  await createTopic(services.kafkaBrokers, topic);
  const ports = await Promise.all(
    Array.from({ length: instances }, () => start("floor-subscriber", services.redisUrl, topic)),
  );
  await start("floor-relay", services.kafkaBrokers, topic, services.redisUrl);
  return {
    name: "bare produce and consume, bare publish and subscribe",
    topic,
    prepare: (names) =>
      Promise.resolve(
        names.map((name) => ({
          watches: ports.map((port) => ({ url: `http://127.0.0.1:${String(port)}/${name}`, headers: {} })),
          record: { key: name, value: "x", headers: {} },
        })),
      ),
    background: (name) => ({ key: name, value: "x", headers: {} }),
    async close() {
      for (const child of children) child.kill();
      await eventually(() => {
        if (children.some(({ exitCode, signalCode }) => exitCode === null && signalCode === null))
          throw new Error("the floor has not ended");
      });
      await removeNamespace({ redisUrl: services.redisUrl, namespace });
    },
  };
}

async function createTopic(brokers: string, topic: string): Promise<void> {
  const kafka = new Kafka({ brokers: brokers.split(","), clientId: "bench", logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: partitions }] });
  await admin.disconnect();
}
