import { Kafka, logLevel } from "kafkajs";

/** What retention does, at once: every event that stands in the topic is gone. */
export async function deleteEvents(kafkaBrokers: string, namespace: string): Promise<void> {
  const kafka = new Kafka({ brokers: kafkaBrokers.split(","), logLevel: logLevel.NOTHING });
  const topic = `${namespace}.user-events`;
  const admin = kafka.admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(topic);
  const partitions = ends
    .filter(({ low, high }) => low !== high)
    .map(({ partition, high: offset }) => ({ partition, offset }));
  if (partitions.length > 0) await admin.deleteTopicRecords({ topic, partitions });
  await admin.disconnect();
}

/** As after the log lost its end: the group, of which nobody is there, has committed one record more than it holds. */
export async function commitBehindTheEnd(kafkaBrokers: string, namespace: string): Promise<void> {
  const kafka = new Kafka({ brokers: kafkaBrokers.split(","), logLevel: logLevel.NOTHING });
  const topic = `${namespace}.user-events`;
  const admin = kafka.admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(topic);
  const partitions = ends
    .filter(({ low, high }) => low !== high)
    .map(({ partition, high }) => ({ partition, offset: String(BigInt(high) + 1n) }));
  await admin.setOffsets({ groupId: `${namespace}.workers`, topic, partitions });
  await admin.disconnect();
}
