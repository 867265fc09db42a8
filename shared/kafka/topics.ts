import { type Admin, ConfigResourceTypes, KafkaJSProtocolError } from "kafkajs";
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

export function topicNames(namespace: string): Readonly<Record<Topic, string>> {
  return { events: `${namespace}.user-events`, "dead-letters": `${namespace}.user-events.dead-letter` };
}

/** The group that all workers of a namespace join. */
export function groupName(namespace: string): string {
  return `${namespace}.workers`;
}

/** Creates what is missing; gives a topic that somebody else created the settings that it needs. */
export async function ensureTopics(admin: Admin, options: KafkaOptions): Promise<void> {
  const known = new Set(await admin.listTopics());
  for (const topic of Object.values(topicNames(options.namespace))) {
    const isOurs = !known.has(topic) && (await createTopic(admin, topic));
    if (!isOurs) await ensureSettings(admin, topic, options);
  }
}

/** False when another process was faster. */
async function createTopic(admin: Admin, topic: string): Promise<boolean> {
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

async function ensureSettings(admin: Admin, topic: string, options: KafkaOptions): Promise<void> {
  try {
    await alterWhereDifferent(admin, topic);
  } catch (error) {
    if (!(error instanceof KafkaJSProtocolError) || error.retriable) throw error;
    const wanted = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
    const where = `--bootstrap-server ${options.brokers.join(",")} --entity-type topics --entity-name ${topic}`;
    const run = `kafka-configs.sh ${where} --alter --add-config ${wanted.join(",")}`;
    options.log.warn("kafka.topic.settings-unsure", { topic, run, err: error });
  }
}

async function alterWhereDifferent(admin: Admin, topic: string): Promise<void> {
  const type = ConfigResourceTypes.TOPIC;
  const { resources } = await admin.describeConfigs({
    resources: [{ type, name: topic }],
    includeSynonyms: false,
  });
  const entries = resources.flatMap((resource) => resource.configEntries);
  const isDifferent = Object.entries(settings).some(
    ([name, value]) => entries.find((entry) => entry.configName === name)?.configValue !== value,
  );
  if (!isDifferent) return;
  // This call replaces all of the topic's own settings, so those that stay are sent along.
  const own = entries.filter((entry) => !entry.isDefault && !entry.readOnly && isOfTopic(entry.configSource));
  const kept = Object.fromEntries(own.map((entry) => [entry.configName, entry.configValue]));
  const configEntries = Object.entries({ ...kept, ...settings }).map(([name, value]) => ({ name, value }));
  await admin.alterConfigs({ validateOnly: false, resources: [{ type, name: topic, configEntries }] });
}

const sourceTopic = 1; // DYNAMIC_TOPIC_CONFIG in DescribeConfigs

function isOfTopic(source: number): boolean {
  return source === sourceTopic;
}
