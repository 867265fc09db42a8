import type { Admin } from "kafkajs";
import { createConnectionAdvisor } from "../connection-advisor.ts";
import { dependencyUnavailable } from "../errors.ts";
import type { Consumer, EventLog, ReadTopic, TakeRecords, Topic } from "../ports/event-log.ts";
import { createClient, type KafkaOptions } from "./client.ts";
import { startConsumer } from "./consumer.ts";
import { withDeadline } from "./deadline.ts";
import { hideNegativeTimeoutOfKafkajs } from "./negative-timeout-warning.ts";
import { createPublisher } from "./publisher.ts";
import { readAll } from "./read-all.ts";
import { readLag } from "./read-lag.ts";
import { ensureTopics, topicNames } from "./topics.ts";
import { withAdmin } from "./with-admin.ts";

const publishTimeoutMs = 2000;
const requestTimeoutMs = 10_000;
const adminWithinMs = 10_000;

/**
 * The event log on Kafka. Connects at the first call that needs it; each call fails within a few seconds while Kafka
 * is away (`publish` within about 2 s), and works again once it is back.
 */
export function connectKafka(options: KafkaOptions): EventLog {
  hideNegativeTimeoutOfKafkajs();
  const { timers, log } = options;
  const kafka = createClient(options, requestTimeoutMs);
  const advisor = createConnectionAdvisor({ dependency: "kafka", isTls: options.tls !== undefined }, log);
  const publisher = createPublisher(createClient(options, publishTimeoutMs), { timers, advisor });
  const topics = topicNames(options.namespace);
  const consumers = new Set<Consumer>();

  async function orUnavailable<T>(work: Promise<T>): Promise<T> {
    try {
      const done = await work;
      advisor.worked();
      return done;
    } catch (error) {
      advisor.failed(error);
      throw dependencyUnavailable("kafka", error);
    }
  }

  /** Of an administrative call. */
  function inTime<T>(run: (admin: Admin) => Promise<T>): Promise<T> {
    return orUnavailable(withDeadline(withAdmin(kafka, run), { timers, ms: adminWithinMs }));
  }

  /** What `take` rejects with passes as it is. */
  async function readTopic(topic: Topic, take: TakeRecords): Promise<ReadTopic> {
    const refusals: unknown[] = [];
    const taking: TakeRecords = (records) =>
      take(records).catch((error: unknown) => {
        refusals.push(error);
        throw error;
      });
    const reading = readAll({ kafka, options }, topics[topic], taking);
    return orUnavailable(reading).catch((error: unknown) => {
      throw refusals.length > 0 ? refusals[0] : error;
    });
  }

  return {
    ensureTopics: () => inTime((admin) => ensureTopics(admin, options)),
    publish: (topic, records) => publisher.publish(topics[topic], records),
    async startConsumer(consumerOptions) {
      const consumer = await orUnavailable(startConsumer(kafka, options, consumerOptions));
      consumers.add(consumer);
      return consumer;
    },
    readAll: readTopic,
    readLag: () => inTime((admin) => readLag(admin, options.namespace)),
    async close() {
      await Promise.all([...consumers].map((consumer) => consumer.close()));
      await publisher.close().catch((error: unknown) => log.warn("kafka.close-failed", { err: error }));
    },
  };
}
