import type { Admin } from "kafkajs";
import type { PartitionLag } from "../ports/event-log.ts";
import { groupName, topicNames } from "./topics.ts";

/** What nobody has committed yet, or behind the end, counts from the earliest record: there the group begins. */
export async function readLag(admin: Admin, namespace: string): Promise<PartitionLag[]> {
  const topic = topicNames(namespace).events;
  // The commits first: one that is moved in between must not seem to stand behind the end.
  const groups = await admin.fetchOffsets({ groupId: groupName(namespace), topics: [topic] });
  const ends = await admin.fetchTopicOffsets(topic);
  const committed = new Map(
    groups.flatMap(({ partitions }) =>
      partitions.map(({ partition, offset }) => [partition, Number(offset)]),
    ),
  );
  return ends.map(({ partition, low, high }) => {
    const offset = committed.get(partition) ?? -1;
    const from = offset > Number(high) ? Number(low) : Math.max(offset, Number(low));
    return { topic, partition, records: Number(high) - from };
  });
}
