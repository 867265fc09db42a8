import type { Admin, Batch, Consumer, EachBatchHandler, Kafka } from "kafkajs";
import type { LoggedRecord, ReadTopic, TakeRecords } from "../ports/event-log.ts";
import type { KafkaOptions } from "./client.ts";
import { withDeadline } from "./deadline.ts";
import { loggedRecord } from "./logged-record.ts";

const settings = {
  sessionTimeout: 10_000,
  heartbeatInterval: 1_000,
  maxWaitTimeInMs: 100,
  allowAutoTopicCreation: false,
  retry: { retries: 2, restartOnFailure: () => Promise.resolve(false) },
} as const;
/** Longer than a broker lets the first member of a group wait for others. */
const idleMs = 15_000;
const closeWithinMs = 5_000;

type ReaderOptions = Pick<KafkaOptions, "namespace" | "log" | "timers" | "ids">;

/**
 * Reads a topic up to its present end. kafkajs reads by way of a group only, so each call has one of its own, which
 * commits nothing and is deleted afterwards.
 */
export async function readAll(
  { kafka, options }: { readonly kafka: Kafka; readonly options: ReaderOptions },
  topic: string,
  take: TakeRecords,
): Promise<ReadTopic> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const exists = (await admin.listTopics()).includes(topic);
    const ends = exists ? await endsOf(admin, topic) : new Map<number, bigint>();
    if (ends.size === 0) return { name: topic, exists };
    const groupId = `${options.namespace}.reader.${options.ids.uuid()}`;
    const consumer = kafka.consumer({ groupId, ...settings });
    try {
      await readUpTo(ends, consumer, { topic, take, timers: options.timers });
    } finally {
      await leave(consumer, admin, { ...options, groupId });
    }
    return { name: topic, exists };
  } finally {
    await admin.disconnect();
  }
}

/** The offset after the last one, of each partition that is not empty. */
async function endsOf(admin: Admin, topic: string): Promise<Map<number, bigint>> {
  const offsets = await admin.fetchTopicOffsets(topic);
  const filled = offsets.filter(({ low, high }) => BigInt(low) < BigInt(high));
  return new Map(filled.map(({ partition, high }) => [partition, BigInt(high)]));
}

interface Reading extends Pick<KafkaOptions, "timers"> {
  readonly topic: string;
  readonly take: TakeRecords;
}

function readUpTo(ends: Map<number, bigint>, consumer: Consumer, reading: Reading): Promise<void> {
  const { topic, take, timers } = reading;
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new Error(`nothing came of ${topic} for ${idleMs} ms`));
    let cancelIdle = timers.after(idleMs, giveUp);

    async function takeBatch(batch: Batch): Promise<void> {
      cancelIdle();
      const end = ends.get(batch.partition);
      if (end === undefined) return;
      const records = recordsBefore(end, batch);
      if (records.length > 0) await take(records);
      if (BigInt(batch.lastOffset()) + 1n >= end) ends.delete(batch.partition);
      if (ends.size === 0) resolve();
      else cancelIdle = timers.after(idleMs, giveUp);
    }

    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    const eachBatch: EachBatchHandler = async (payload) => {
      // What `take` rejects with is the caller's, not a fault of the consumer, which would try again.
      await takeBatch(payload.batch).catch(reject);
      await payload.heartbeat();
    };
    start(consumer, topic, eachBatch).catch(reject);
  });
}

async function start(consumer: Consumer, topic: string, eachBatch: EachBatchHandler): Promise<void> {
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({ autoCommit: false, eachBatch });
}

function recordsBefore(end: bigint, { topic, partition, messages }: Batch): LoggedRecord[] {
  return messages
    .filter(({ offset }) => BigInt(offset) < end)
    .map((message) => loggedRecord(message, topic, partition));
}

/** A group that stays behind is empty and without offsets: the broker removes it in time. */
async function leave(
  consumer: Consumer,
  admin: Admin,
  { groupId, log, timers }: ReaderOptions & { readonly groupId: string },
): Promise<void> {
  const left = consumer.disconnect().then(() => admin.deleteGroups([groupId]));
  try {
    await withDeadline(left, { timers, ms: closeWithinMs });
  } catch (err) {
    log.debug("kafka.reader.close-failed", { err });
  }
}
