import { randomUUID } from "node:crypto";
import { expect } from "chai";
import { Kafka, logLevel, Partitioners } from "kafkajs";
import { afterEach, beforeEach, it } from "mocha";
import { encodeEvent } from "../../shared/events/encode-event.ts";
import { eventually } from "../support/eventually.ts";
import { createRealWorkerWorld, type RealWorkerWorld } from "../support/real-worker-world.ts";
import { describeWithServices } from "../support/services.ts";

const patience = { timeoutMs: 30_000, intervalMs: 100 };

// K8, compressed records, has a file of its own: kafka-compression.test.ts. kafkajs sends no header without a value.
describeWithServices("bad events on the real servers", ["mongo", "redis", "kafka"], (services) => {
  let world: RealWorkerWorld;
  let kafka: Kafka;
  let topic: string;

  beforeEach(async function () {
    this.timeout(60_000);
    world = await createRealWorkerWorld(services);
    await world.start();
    topic = `${world.namespace}.user-events`;
    kafka = new Kafka({ brokers: services.kafkaBrokers.split(","), logLevel: logLevel.NOTHING });
    await eventually(async () => expect(await world.lag()).to.equal(0), patience);
  });
  afterEach(async function () {
    this.timeout(60_000);
    await world.close();
  });

  const statusOf = async (id: string) => (await world.database.users.findById(id))?.status;
  const untilDeactivated = (id: string) =>
    eventually(async () => expect(await statusOf(id)).to.equal("deactivated"), patience);
  const messageFor = (id: string) => {
    const { value } = encodeEvent(world.upstreamEvent("user.deactivated", id));
    return { key: "k", value: Buffer.from(value ?? []) };
  };

  it("K9: applies what a transaction committed, nothing that one aborted, and goes on behind it", async function () {
    this.timeout(60_000);
    const [aborted, committed, behind] = await Promise.all([
      world.addUser(),
      world.addUser(),
      world.addUser(),
    ]);
    const producer = kafka.producer({
      transactionalId: randomUUID(),
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    const first = await producer.transaction();
    await first.send({ topic, messages: [messageFor(aborted.id)] });
    await first.abort();
    const second = await producer.transaction();
    await second.send({ topic, messages: [messageFor(committed.id)] });
    await second.commit();
    await producer.disconnect();
    // On the same partition, by its key: a marker at the very end of one counts as lag until something follows it.
    const plain = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await plain.connect();
    await plain.send({ topic, messages: [messageFor(behind.id)] });
    await plain.disconnect();

    await Promise.all([untilDeactivated(committed.id), untilDeactivated(behind.id)]);
    expect(await statusOf(aborted.id)).to.equal("active");
    await eventually(async () => expect(await world.lag()).to.equal(0), patience);
  });
});
