import { Kafka, logLevel } from "kafkajs";
import { openRedis } from "./store.ts";

/*
 * What no worker can beat: takes records from Kafka with the worker's settings and publishes their keys on Redis.
 */
const [, , brokers = "", topic = "", redisUrl = ""] = process.argv;
const redis = openRedis(redisUrl);
const kafka = new Kafka({ brokers: brokers.split(","), clientId: "floor", logLevel: logLevel.NOTHING });
const consumer = kafka.consumer({
  groupId: `${topic}.floor`,
  sessionTimeout: 10_000,
  heartbeatInterval: 1_000,
  minBytes: 1,
  maxWaitTimeInMs: 100,
  allowAutoTopicCreation: false,
});
await consumer.connect();
await consumer.subscribe({ topics: [topic], fromBeginning: true });
consumer.on(consumer.events.GROUP_JOIN, () => process.send?.("joined"));
await consumer.run({
  autoCommit: false,
  eachBatchAutoResolve: false,
  partitionsConsumedConcurrently: 8,
  async eachBatch(payload) {
    const { batch } = payload;
    await Promise.all(batch.messages.map(({ key }) => redis.publish(topic, key?.toString() ?? "")));
    const { partition } = batch;
    const offset = String(BigInt(batch.lastOffset()) + 1n);
    payload.resolveOffset(batch.lastOffset());
    await payload.commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset }] }] });
  },
});
