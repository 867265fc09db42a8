import type { EachBatchHandler, Kafka } from "kafkajs";
import type { Consumer, ConsumerOptions } from "../ports/event-log.ts";
import type { KafkaOptions } from "./client.ts";
import { withDeadline } from "./deadline.ts";
import { type DeliveryContext, deliver } from "./delivery.ts";
import { createGapWatch } from "./gap-watch.ts";
import { createMembership } from "./membership.ts";
import { readOffsets } from "./offsets.ts";
import { groupName, topicNames } from "./topics.ts";
import { withAdmin } from "./with-admin.ts";

/** The partitions of a worker that was killed stand still for `sessionTimeout`. Retries end only with the process. */
const settings = {
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
  const groupId = groupName(options.namespace);
  const topic = topicNames(options.namespace).events;
  const consumer = kafka.consumer({ groupId, ...settings });
  const membership = createMembership(timers, settings.sessionTimeout, (isMember) =>
    callbacks.onMembership?.(isMember),
  );
  const closing = new AbortController();
  const { GROUP_JOIN, HEARTBEAT, REBALANCING, CRASH, STOP } = consumer.events;
  const gaps = createGapWatch({
    readOffsets: () => withAdmin(kafka, (admin) => readOffsets(admin, { topic, groupId })),
    commit: (offsets) => consumer.commitOffsets(offsets.map((each) => ({ topic, ...each }))),
    handleLost: (lost) => callbacks.handleLost(lost),
    membership,
    timers,
    closing: closing.signal,
    log,
  });
  consumer.on(GROUP_JOIN, ({ payload: { memberAssignment } }) => {
    membership.joined();
    gaps.joined(memberAssignment[topic] ?? []);
  });
  consumer.on(HEARTBEAT, () => membership.renewed());
  consumer.on(REBALANCING, () => membership.left());
  consumer.on(STOP, () => membership.left());
  consumer.on(CRASH, ({ payload: { error, restart } }) => {
    membership.left();
    if (closing.signal.aborted) return;
    if (restart) log.warn("kafka.consumer.restarting", { err: error });
    else callbacks.onCrash(error);
  });

  async function close(): Promise<void> {
    closing.abort();
    try {
      // A consumer that is joining may not stop by itself.
      const closed = Promise.all([consumer.disconnect(), gaps.close()]);
      await withDeadline(closed, { timers, ms: closeWithinMs });
    } catch (error) {
      log.warn("kafka.consumer.close-failed", { err: error });
    }
  }

  try {
    await withDeadline(consumer.connect(), { timers, ms: connectWithinMs });
    await gaps.begin();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 8,
      eachBatch: oneAtATime({ callbacks, log, timers, closing: closing.signal, membership, gaps }),
    });
  } catch (error) {
    await close();
    throw error;
  }
  return { hasJoined: () => !closing.signal.aborted && membership.isMember(), close };
}

/** After a rebalance a handler may still be at work on a batch that went stale, of a partition that is ours again. */
function oneAtATime(context: DeliveryContext): EachBatchHandler {
  const latest = new Map<number, Promise<void>>();
  return (payload) => {
    const { partition } = payload.batch;
    const generation = context.membership.generation();
    const earlier = latest.get(partition) ?? Promise.resolve();
    const delivery = earlier.catch(() => undefined).then(() => deliver(payload, generation, context));
    latest.set(partition, delivery);
    return delivery;
  };
}
