import type { Admin } from "kafkajs";
import type { PartitionGap } from "../ports/event-log.ts";

export type OffsetsAdmin = Pick<Admin, "fetchOffsets" | "fetchTopicOffsets">;

/** Where the group and the log stand in one partition. */
export interface PartitionOffsets {
  readonly partition: number;
  /** What the group is to read next. Null without a commit, and where kafkajs has overwritten it, see `resetMark`. */
  readonly committed: bigint | null;
  readonly isReset: boolean;
  /** The earliest record that is left. */
  readonly low: bigint;
  /** The next record to come. */
  readonly high: bigint;
}

/** kafkajs commits this in place of an offset that is out of range, and says so in its own log only. */
const resetMark = "-2";

export async function readOffsets(
  admin: OffsetsAdmin,
  { topic, groupId }: { readonly topic: string; readonly groupId: string },
): Promise<PartitionOffsets[]> {
  // The commits first: one that is moved in between then only looks behind.
  const commits = await admin.fetchOffsets({ groupId, topics: [topic] });
  const ends = await admin.fetchTopicOffsets(topic);
  const committed = new Map(
    commits.flatMap(({ partitions }) => partitions.map(({ partition, offset }) => [partition, offset])),
  );
  return ends.map(({ partition, low, high }) => {
    const offset = committed.get(partition) ?? "-1";
    return {
      partition,
      committed: offset.startsWith("-") ? null : BigInt(offset),
      isReset: offset === resetMark,
      low: BigInt(low),
      high: BigInt(high),
    };
  });
}

/**
 * `known`: what was last seen committed, where kafkajs may have overwritten it since. A commit behind the end is one of
 * a topic that was deleted and made anew, or that lost its end with a broker: whatever stands there now may be new.
 */
export function gapsOf(
  offsets: readonly PartitionOffsets[],
  known: ReadonlyMap<number, bigint>,
): PartitionGap[] {
  const isGroupKnown =
    known.size > 0 || offsets.some(({ committed, isReset }) => committed !== null || isReset);
  return offsets
    .map(({ partition, committed, low, high }) => ({
      partition,
      low,
      high,
      from: committed ?? known.get(partition) ?? 0n,
    }))
    .filter(({ from, low, high }) => from < low || from > high)
    .map(({ partition, from, low }) => ({
      partition,
      from: isGroupKnown ? String(from) : null,
      to: String(low),
    }));
}
