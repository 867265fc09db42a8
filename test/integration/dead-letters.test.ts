import { execFile } from "node:child_process";
import { expect } from "chai";
import kafkajs, { Kafka, logLevel } from "kafkajs";
import { afterEach, beforeEach, describe, it } from "mocha";
import { encodeEvent } from "../../shared/events/encode-event.ts";
import { createInProcessDatabaseServer } from "../../shared/in-process/database.ts";
import { createInProcessStoreServer } from "../../shared/in-process/revocation-store.ts";
import { connectKafka } from "../../shared/kafka/event-log.ts";
import { silentLog } from "../../shared/log.ts";
import { createMetrics, type Metrics } from "../../shared/metrics.ts";
import { createPlatform } from "../../shared/platform.ts";
import type { EventLog, LoggedRecord, Topic } from "../../shared/ports/event-log.ts";
import { type RunningWorker, startWorker } from "../../workers/start-worker.ts";
import { eventually } from "../support/eventually.ts";
import { describeWithServices, freshNamespace } from "../support/services.ts";

const patience = { timeoutMs: 20_000, intervalMs: 100 };
const garbage = { key: "carol", value: new TextEncoder().encode("{not json"), headers: { trace: "t-1" } };

describeWithServices("dead letters on Kafka", ["kafka"], ({ kafkaBrokers }) => {
  const platform = createPlatform();
  const admin = new Kafka({ brokers: kafkaBrokers.split(","), logLevel: logLevel.NOTHING }).admin();
  let namespace: string;
  let log: EventLog;
  let metrics: Metrics;
  let worker: RunningWorker | undefined;

  beforeEach(async () => {
    namespace = freshNamespace();
    metrics = createMetrics({ withProcessMetrics: false });
    worker = undefined;
    const options = { namespace, clientId: "test", log: silentLog, ...platform };
    log = connectKafka({ ...options, brokers: kafkaBrokers.split(",") });
    await log.ensureTopics();
    await admin.connect();
  });

  afterEach(async () => {
    await worker?.close();
    await log.close();
    await admin.disconnect();
  });

  async function start(): Promise<RunningWorker> {
    const database = createInProcessDatabaseServer().connect();
    await database.ledger.raiseLongest({ tokenLifetimeSeconds: 900, maxStalenessMs: 5_000 });
    return startWorker({
      settings: { namespace, issuer: "https://quash.test", syncIntervalMs: 200 },
      platform,
      log: silentLog,
      metrics,
      parts: {
        database,
        store: createInProcessStoreServer({ ...platform, undoDepth: 0 }).connect(),
        eventLog: log,
      },
    });
  }

  async function readWhole(topic: Topic): Promise<LoggedRecord[]> {
    const seen: LoggedRecord[] = [];
    await log.readAll(topic, async (records) => void seen.push(...records));
    return seen;
  }

  async function lag(): Promise<number> {
    return (await log.readLag()).reduce((sum, { records }) => sum + records, 0);
  }

  async function limitDeadLetters(maxBytes: number): Promise<void> {
    const name = `${namespace}.user-events.dead-letter`;
    const configEntries = [
      { name: "max.message.bytes", value: String(maxBytes) },
      { name: "compression.type", value: "gzip" },
      { name: "message.timestamp.type", value: "LogAppendTime" },
    ];
    const type = kafkajs.ConfigResourceTypes.TOPIC;
    await admin.alterConfigs({ validateOnly: false, resources: [{ type, name, configEntries }] });
  }

  /** Until the broker has taken the setting over. */
  function isRefused(): Promise<boolean> {
    const probe = { key: "probe", value: null, headers: {} };
    return log.publish("dead-letters", [probe]).then(
      () => false,
      () => true,
    );
  }

  function command(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const environment = { PATH: process.env["PATH"], KAFKA_BROKERS: kafkaBrokers, NAMESPACE: namespace };
    const given = ["--import", "tsx", "workers/dead-letters/main.ts", ...args];
    return new Promise((resolve) => {
      const child = execFile(process.execPath, given, { env: environment }, (_, stdout, stderr) =>
        resolve({ code: child.exitCode ?? -1, stdout, stderr }),
      );
      child.stdin?.end();
    });
  }

  it("commits nothing while the broker refuses the dead letter, then writes and commits it once", async () => {
    await limitDeadLetters(10);
    await eventually(async () => expect(await isRefused()).to.equal(true), patience);
    const probes = (await readWhole("dead-letters")).length;
    await log.publish("events", [garbage]);
    worker = await start();
    const failures = async () => (await metrics.deadLetterFailures.get()).values[0]?.value ?? 0;
    await eventually(async () => expect(await failures()).to.be.at.least(3), patience);
    expect(await lag()).to.equal(1);
    expect(await readWhole("dead-letters")).to.have.lengthOf(probes);
    await limitDeadLetters(1_048_588);
    await eventually(async () => expect(await lag()).to.equal(0), patience);
    const letters = (await readWhole("dead-letters")).filter(({ headers }) => "trace" in headers);
    expect(letters).to.have.lengthOf(1);
    expect(Buffer.from(letters[0]?.value ?? []).toString()).to.equal("{not json");
    expect(letters[0]?.headers).to.include.keys("trace", "dead_letter_reason");
  }).timeout(60_000);

  it("is listed, shown, replayed once and dropped by the command", async () => {
    const event = {
      id: "e-1",
      source: "/hr",
      type: "user.deactivated",
      subject: "carol",
      timeMs: Date.UTC(2026, 0, 15),
      details: {},
    } as const;
    await log.publish("dead-letters", [
      { ...encodeEvent(event), headers: { dead_letter_reason: "internal-error", dead_letter_attempts: "3" } },
    ]);
    const [letter] = await readWhole("dead-letters");
    const id = `${letter?.partition}:${letter?.offset}`;

    expect((await command("list")).stdout)
      .to.include(id)
      .and.include("waiting")
      .and.include("carol");
    expect((await command("show", id)).stdout).to.include("dead_letter_reason: internal-error");
    expect((await command("replay")).stdout).to.include("nothing was done");
    expect(await readWhole("events")).to.deep.equal([]);
    expect((await command("replay", "--yes")).stdout).to.include("1 replayed");
    const again = await command("replay", "--yes");
    expect(again).to.include({ code: 0, stdout: `${id} left alone: replayed before\nnothing to replay\n` });
    const named = await command("replay", id, "--yes");
    expect(named).to.include({ code: 1, stderr: "error: nothing to replay\n" });
    expect(await readWhole("events")).to.have.lengthOf(1);
    const listing = await command("list", "--json");
    expect(JSON.parse(listing.stdout)).to.include({ id, state: "replayed", event_id: "e-1" });
    const undecided = await command("drop", id);
    expect(undecided).to.have.property("code", 1);
    expect((await command("drop", id, "--yes")).stdout).to.include("1 dropped");
    expect((await command("drop", id, "--yes")).stdout).to.include(`${id} was dropped before`);
    const stdout = `no dead letters in ${namespace}.user-events.dead-letter\n`;
    expect(await command("list")).to.include({ code: 0, stdout });
  }).timeout(120_000);
});

describe("dead-letters command", () => {
  const run = (environment: Record<string, string>, ...args: string[]) =>
    new Promise<{ code: number; stderr: string }>((resolve) => {
      const given = ["--import", "tsx", "workers/dead-letters/main.ts", ...args];
      const env = { PATH: process.env["PATH"], ...environment };
      const child = execFile(process.execPath, given, { env }, (_, __, stderr) =>
        resolve({ code: child.exitCode ?? -1, stderr }),
      );
    });

  it("needs nothing but Kafka, and names what is missing or wrong", async () => {
    const { code, stderr } = await run({ NAMESPACE: "Not a namespace" }, "list");
    expect(code).to.equal(78);
    expect(stderr).to.include("KAFKA_BROKERS").and.include("NAMESPACE");
    expect(stderr).to.not.include("MONGO_URL");
  });

  it("ends with 1 and one line while Kafka does not answer", async () => {
    const { code, stderr } = await run({ KAFKA_BROKERS: "127.0.0.1:9" }, "list");
    expect(code).to.equal(1);
    expect(stderr).to.match(/^error: Kafka at 127\.0\.0\.1:9 .*\n$/);
  });

  it("ends with 1 and one line when asked for what it does not know", async () => {
    const { code, stderr } = await run({ KAFKA_BROKERS: "127.0.0.1:9" }, "list", "--reason", "boredom");
    expect(code).to.equal(1);
    expect(stderr).to.match(/^error: --reason is one of not-json, .*\n$/);
  });
});
