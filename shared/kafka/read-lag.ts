import type { Admin } from "kafkajs";
import type { PartitionLag } from "../ports/event-log.ts";
import { groupName, topicNames } from "./topics.ts";

/** What nobody has committed yet counts from the earliest record: there a new group begins. */
export async function readLag(admin: Admin, namespace: string): Promise<PartitionLag[]> {
  const topic = topicNames(namespace).events;
  const ends = await admin.fetchTopicOffsets(topic);
  const groups = await admin.fetchOffsets({ groupId: groupName(namespace), topics: [topic] });
  const committed = new Map(
    groups.flatMap(({ partitions }) =>
      partitions.map(({ partition, offset }) => [partition, Number(offset)]),
    ),
  );
  return ends.map(({ partition, low, high }) => {
    const from = Math.max(committed.get(partition) ?? -1, Number(low));
    return { topic, partition, records: Math.max(0, Number(high) - from) };
  });
}
