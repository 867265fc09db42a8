import { mkdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import kafkajs, { Kafka, logLevel } from "kafkajs";
import { afterEach, before, beforeEach, it } from "mocha";
import { connectKafka } from "../../shared/kafka/event-log.ts";
import { silentLog } from "../../shared/log.ts";
import { createPlatform } from "../../shared/platform.ts";
import type { EventLog, LoggedRecord, RecordBatch } from "../../shared/ports/event-log.ts";
import { kafka, kafkaClasspath } from "../services/kafka.ts";
import { runCommand } from "../services/run-command.ts";
import { servicesFolder } from "../services/state.ts";
import { eventually } from "../support/eventually.ts";
import { describeUnlessMissing, missingPrograms } from "../support/requirements.ts";
import { describeWithServices, freshNamespace } from "../support/services.ts";

const programs = path.join(servicesFolder(process.env), "programs");
const publishProgram = fileURLToPath(new URL("PublishCompressed.java", import.meta.url));

describeWithServices("Kafka, with producers of other kinds", ["kafka"], ({ kafkaBrokers }) => {
  let topic: string;
  let log: EventLog;
  let classPath: string;
  const client = new Kafka({ brokers: kafkaBrokers.split(","), logLevel: logLevel.NOTHING });

  beforeEach(() => {
    const namespace = freshNamespace();
    const { timers, ids } = createPlatform();
    topic = `${namespace}.user-events`;
    log = connectKafka({
      brokers: kafkaBrokers.split(","),
      namespace,
      clientId: "test",
      log: silentLog,
      timers,
      ids,
    });
  });

  afterEach(() => log.close());

  async function withAdmin<T>(use: (admin: ReturnType<Kafka["admin"]>) => Promise<T>): Promise<T> {
    const admin = client.admin();
    await admin.connect();
    try {
      return await use(admin);
    } finally {
      await admin.disconnect();
    }
  }

  async function settingOf(name: string): Promise<string | undefined> {
    const resources = [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configNames: [name] }];
    const answer = await withAdmin((admin) => admin.describeConfigs({ resources, includeSynonyms: false }));
    return answer.resources[0]?.configEntries[0]?.configValue;
  }

  async function publishFromJava(compression: string): Promise<void> {
    const wanted = [kafkaBrokers, topic, compression, "user", compression];
    await runCommand("java", ["-cp", classPath, publishProgram, ...wanted], programs);
  }

  describeUnlessMissing("from Java", missingPrograms([...kafka.prerequisites(programs), "javac"]), () => {
    before(async function () {
      this.timeout(300_000);
      mkdirSync(programs, { recursive: true });
      classPath = await kafkaClasspath(programs);
    });

    it("reads records compressed with lz4, zstd and snappy", async () => {
      await log.ensureTopics();
      const seen = await collect(log);
      const wanted = ["lz4", "zstd", "snappy"];
      await Promise.all(wanted.map(publishFromJava));
      await eventually(() => expect(seen.map(textOf)).to.have.members(wanted), { timeoutMs: 10_000 });
    }).timeout(60_000);

    it("reports the crash of a consumer that met a record which it cannot read", async () => {
      await log.ensureTopics();
      await withAdmin((admin) => admin.alterConfigs(compressionAsSent(topic)));
      const crashes: unknown[] = [];
      const consumer = await log.startConsumer({
        handleBatch: commitAll,
        handleLost: async () => undefined,
        onCrash: (e) => crashes.push(e),
      });
      await eventually(() => expect(consumer.hasJoined()).to.equal(true));
      await publishFromJava("lz4");
      await eventually(() => expect(crashes).to.have.lengthOf(1), { timeoutMs: 10_000 });
      expect(crashes[0]).to.have.property("name", "KafkaJSNotImplemented");
      expect(consumer.hasJoined()).to.equal(false);
    }).timeout(60_000);
  });

  it("takes the broker's time of appending, whatever time the producer gives", async () => {
    await log.ensureTopics();
    const seen = await collect(log);
    const producer = client.producer();
    await producer.connect();
    await producer.send({ topic, messages: [{ value: "late", timestamp: "1000" }] });
    await producer.disconnect();
    await eventually(() => expect(seen.map(textOf)).to.deep.equal(["late"]));
    expect(seen[0]?.appendedAtMs).to.be.greaterThan(Date.UTC(2024, 0, 1));
  });

  it("gives a topic that somebody else created the settings that it needs, and keeps its own", async () => {
    const configEntries = [{ name: "retention.ms", value: "123456789" }];
    await withAdmin((admin) => admin.createTopics({ topics: [{ topic, configEntries }] }));
    await log.ensureTopics();
    await eventually(async () => {
      expect(await settingOf("compression.type")).to.equal("gzip");
      expect(await settingOf("message.timestamp.type")).to.equal("LogAppendTime");
      expect(await settingOf("retention.ms")).to.equal("123456789");
    });
  });
});

function compressionAsSent(topic: string) {
  const configEntries = [{ name: "compression.type", value: "producer" }];
  return {
    validateOnly: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configEntries }],
  };
}

async function collect(log: EventLog): Promise<LoggedRecord[]> {
  const seen: LoggedRecord[] = [];
  await log.startConsumer({
    async handleBatch(batch) {
      seen.push(...batch.records);
      await commitAll(batch);
    },
    handleLost: async () => undefined,
    onCrash: (error) => {
      throw error;
    },
  });
  return seen;
}

async function commitAll(batch: RecordBatch): Promise<void> {
  const last = batch.records.at(-1);
  if (last) await batch.commit(last);
}

function textOf({ value }: LoggedRecord): string | null {
  return value && new TextDecoder().decode(value);
}
