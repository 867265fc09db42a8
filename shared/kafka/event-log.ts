import { dependencyUnavailable } from "../errors.ts";
import type { Consumer, EventLog } from "../ports/event-log.ts";
import { createClient, type KafkaOptions } from "./client.ts";
import { startConsumer } from "./consumer.ts";
import { withDeadline } from "./deadline.ts";
import { hideNegativeTimeoutOfKafkajs } from "./negative-timeout-warning.ts";
import { createPublisher } from "./publisher.ts";
import { ensureTopics, topicNames } from "./topics.ts";

const publishTimeoutMs = 2000;
const requestTimeoutMs = 10_000;
const ensureWithinMs = 10_000;

/**
 * The event log on Kafka. Connects at the first call that needs it; each call fails within a few seconds while Kafka
 * is away (`publish` within about 2 s), and works again once it is back.
 */
export function connectKafka(options: KafkaOptions): EventLog {
  hideNegativeTimeoutOfKafkajs();
  const { timers, log } = options;
  const kafka = createClient(options, requestTimeoutMs);
  const publisher = createPublisher(createClient(options, publishTimeoutMs), timers);
  const topics = topicNames(options.namespace);
  const consumers = new Set<Consumer>();

  async function ensure(): Promise<void> {
    const admin = kafka.admin();
    try {
      await admin.connect();
      await ensureTopics(admin, options);
    } finally {
      await admin.disconnect();
    }
  }

  async function orUnavailable<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw dependencyUnavailable("kafka", error);
    }
  }

  return {
    ensureTopics: () => orUnavailable(withDeadline(ensure(), { timers, ms: ensureWithinMs })),
    publish: (topic, records) => publisher.publish(topics[topic], records),
    async startConsumer(consumerOptions) {
      const consumer = await orUnavailable(startConsumer(kafka, options, consumerOptions));
      consumers.add(consumer);
      return consumer;
    },
    async close() {
      await Promise.all([...consumers].map((consumer) => consumer.close()));
      await publisher.close().catch((error: unknown) => log.warn("kafka.close-failed", { err: error }));
    },
  };
}
