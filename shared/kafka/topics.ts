import kafkajs, { type Admin } from "kafkajs";
import type { Topic } from "../ports/event-log.ts";
import type { KafkaOptions } from "./client.ts";

/**
 * kafkajs reads gzip only, and a record compressed otherwise ends its consumer: with this setting the broker
 * compresses again. The append time decides the order of changes, and must not be the producer's to choose.
 */
const settings: Readonly<Record<string, string>> = {
  "compression.type": "gzip",
  "message.timestamp.type": "LogAppendTime",
};
const partitions = 6;

// To an ES module kafkajs exports these names by its default only.
const { ConfigResourceTypes, ConfigSource } = kafkajs;

export type TopicAdmin = Pick<
  Admin,
  "listTopics" | "describeCluster" | "createTopics" | "describeConfigs" | "alterConfigs"
>;
type TopicOptions = Pick<KafkaOptions, "brokers" | "namespace" | "log">;

export function topicNames(namespace: string): Readonly<Record<Topic, string>> {
  return { events: `${namespace}.user-events`, "dead-letters": `${namespace}.user-events.dead-letter` };
}

/** The group that all workers of a namespace join. */
export function groupName(namespace: string): string {
  return `${namespace}.workers`;
}

/** Creates what is missing; gives a topic that somebody else created the settings that it needs. */
export async function ensureTopics(admin: TopicAdmin, options: TopicOptions): Promise<void> {
  const known = new Set(await admin.listTopics());
  for (const topic of Object.values(topicNames(options.namespace))) {
    const isOurs = !known.has(topic) && (await createTopic(admin, topic));
    if (!isOurs) await ensureSettings(admin, topic, options);
  }
}

/** False when another process was faster. */
async function createTopic(admin: TopicAdmin, topic: string): Promise<boolean> {
  const { brokers } = await admin.describeCluster();
  const replicationFactor = Math.min(3, brokers.length);
  // With three copies a write must be on two, or the loss of one broker could lose what was acknowledged.
  const copies: Readonly<Record<string, string>> =
    replicationFactor === 3 ? { "min.insync.replicas": "2" } : {};
  const configEntries = Object.entries({ ...settings, ...copies }).map(([name, value]) => ({ name, value }));
  return admin.createTopics({
    topics: [{ topic, numPartitions: partitions, replicationFactor, configEntries }],
  });
}

async function ensureSettings(admin: TopicAdmin, topic: string, options: TopicOptions): Promise<void> {
  try {
    await alterWhereDifferent(admin, topic);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const wanted = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
    const where = `--bootstrap-server ${options.brokers.join(",")} --entity-type topics --entity-name ${topic}`;
    const run = `kafka-configs.sh ${where} --alter --add-config ${wanted.join(",")}`;
    options.log.warn("kafka.topic.settings-unsure", { topic, run, err: error });
  }
}

async function alterWhereDifferent(admin: TopicAdmin, topic: string): Promise<void> {
  const { resources } = await admin.describeConfigs({
    resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
    includeSynonyms: false,
  });
  const entries = resources.flatMap((resource) => resource.configEntries);
  const isDifferent = Object.entries(settings).some(
    ([name, value]) => entries.find((entry) => entry.configName === name)?.configValue !== value,
  );
  if (!isDifferent) return;
  // This call replaces all of the topic's own settings, so those that stay are sent along.
  const own = entries.filter(
    (entry) => !entry.isDefault && !entry.readOnly && entry.configSource === ConfigSource.TOPIC_CONFIG,
  );
  const kept = Object.fromEntries(own.map((entry) => [entry.configName, entry.configValue]));
  const configEntries = Object.entries({ ...kept, ...settings }).map(([name, value]) => ({ name, value }));
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }],
  });
}

/** Refused by the broker for good (not allowed, against its policy), not lost on the way. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && "type" in error && "retriable" in error && error.retriable === false;
}
