import type { Kafka } from "kafkajs";
import type { Consumer, ConsumerOptions } from "../ports/event-log.ts";
import type { KafkaOptions } from "./client.ts";
import { withDeadline } from "./deadline.ts";
import { deliver } from "./delivery.ts";
import { groupName, topicNames } from "./topics.ts";

/** The partitions of a worker that was killed stand still for `sessionTimeout`. Retries end only with the process. */
const membership = {
  sessionTimeout: 10_000,
  rebalanceTimeout: 30_000,
  heartbeatInterval: 1000,
  minBytes: 1,
  maxWaitTimeInMs: 100,
  allowAutoTopicCreation: false,
  retry: { retries: Number.MAX_SAFE_INTEGER, initialRetryTime: 100, maxRetryTime: 2000 },
} as const;
const closeWithinMs = 5000;
const connectWithinMs = 5000;

/**
 * Joins the group of workers. Rejects when Kafka is away at the start; after that it waits for Kafka by itself, and
 * calls `onCrash` when kafkajs gives up for good.
 */
export async function startConsumer(
  kafka: Kafka,
  options: KafkaOptions,
  callbacks: ConsumerOptions,
): Promise<Consumer> {
  const { log, timers } = options;
  const consumer = kafka.consumer({ groupId: groupName(options.namespace), ...membership });
  const closing = new AbortController();
  const partitions = new Map<number, Promise<void>>();
  let generation = 0;
  let isMember = false;

  const { GROUP_JOIN, REBALANCING, CRASH, STOP } = consumer.events;
  const enter = (joined: boolean) => () => {
    generation += 1;
    isMember = joined;
  };
  consumer.on(GROUP_JOIN, enter(true));
  consumer.on(REBALANCING, enter(false));
  consumer.on(STOP, enter(false));
  consumer.on(CRASH, ({ payload: { error, restart } }) => {
    enter(false)();
    if (closing.signal.aborted) return;
    if (restart) log.warn("kafka.consumer.restarting", { err: error });
    else callbacks.onCrash(error);
  });

  const context = { callbacks, log, timers, closing: closing.signal, generation: () => generation };
  try {
    await withDeadline(consumer.connect(), { timers, ms: connectWithinMs });
    await consumer.subscribe({ topics: [topicNames(options.namespace).events], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 8,
      async eachBatch(payload) {
        // After a rebalance a handler may still be at work on a batch of this partition that went stale.
        const { partition } = payload.batch;
        await partitions.get(partition)?.catch(() => undefined);
        const delivery = deliver(payload, context);
        partitions.set(partition, delivery);
        await delivery;
      },
    });
  } catch (error) {
    closing.abort();
    await consumer.disconnect();
    throw error;
  }

  return {
    hasJoined: () => isMember,
    async close() {
      closing.abort();
      try {
        // A consumer that is joining may not stop by itself.
        await withDeadline(consumer.disconnect(), { timers, ms: closeWithinMs });
      } catch (error) {
        log.warn("kafka.consumer.close-failed", { err: error });
      }
    },
  };
}
