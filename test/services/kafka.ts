import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Kafka, logLevel } from "kafkajs";
import { runCommand } from "./run-command.ts";
import type { Place, Service } from "./service.ts";

const clusterId = "cXVhc2gtdGVzdC1rYWZrYQ";

export interface KafkaExtras {
  readonly settings?: Readonly<Record<string, string | number>>;
  /** Of the tool that formats an empty data folder. */
  readonly format?: readonly string[];
}

export const kafka = createKafka();

/** Settings of a name that is set already take its place. */
export function createKafka(extras: KafkaExtras = {}): Service {
  return {
    portCount: 2,
    readyWithinMs: 60_000,

    prerequisites: (programs) => (existsSync(jars(programs)) ? ["java"] : ["java", "mvn"]),

    async install(programs, log) {
      if (existsSync(jars(programs))) return;
      log("downloading Kafka 4.1.1 (43 MB)");
      const folder = path.join(programs, "kafka-download");
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      copyFileSync(new URL("kafka/pom.xml", import.meta.url), path.join(folder, "pom.xml"));
      await runCommand("mvn", ["-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=libs"], folder);
      renameSync(path.join(folder, "libs"), jars(programs));
      rmSync(folder, { recursive: true, force: true });
    },

    async prepare({ programs, data, ports }) {
      const classPath = path.join(jars(programs), "*");
      const settingsFile = path.join(data, "server.properties");
      writeFileSync(settingsFile, serverProperties(data, ports, extras.settings));
      if (!existsSync(path.join(data, "logs", "meta.properties"))) {
        const format = ["format", "-t", clusterId, "-c", settingsFile, ...(extras.format ?? [])];
        await runCommand("java", ["-cp", classPath, "kafka.tools.StorageTool", ...format], data);
      }
      const heap = ["-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
      const args = [...heap, "-Dlog4j2.level=WARN", "-cp", classPath, "kafka.Kafka", settingsFile];
      return { command: "java", args, cwd: data };
    },

    /** The coordinator answers last, so it is the one that is asked. */
    async probe(ports) {
      const client = new Kafka({
        brokers: [`127.0.0.1:${ports[0]}`],
        logLevel: logLevel.NOTHING,
        connectionTimeout: 1000,
        requestTimeout: 5000,
        retry: { retries: 4, initialRetryTime: 100, maxRetryTime: 500 },
      });
      const admin = client.admin();
      try {
        await admin.connect();
        await admin.fetchOffsets({ groupId: "services-probe" });
      } finally {
        await admin.disconnect();
      }
    },
  };
}

/** For tests that need a Java client; downloads the broker's jars where they are missing. */
export async function kafkaClasspath(programs: string): Promise<string> {
  await kafka.install(programs, () => undefined);
  return path.join(jars(programs), "*");
}

function jars(programs: string): string {
  return path.join(programs, "kafka-4.1.1");
}

function serverProperties(data: string, ports: Place["ports"], extra: KafkaExtras["settings"]): string {
  const [broker, controller] = ports;
  const settings = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@127.0.0.1:${controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${broker},CONTROLLER://127.0.0.1:${controller}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${broker}`,
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "log.dirs": path.join(data, "logs"),
    "num.partitions": 4,
    "auto.create.topics.enable": false,
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 4,
    "group.initial.rebalance.delay.ms": 0,
    "log.index.size.max.bytes": 1_048_576,
    "log.cleaner.dedupe.buffer.size": 16_777_216,
    ...extra,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}
