import type { Log } from "../log.ts";
import type { LostRecords, PartitionGap } from "../ports/event-log.ts";
import type { Cancel, Timers } from "../ports/platform.ts";
import { withDeadline } from "./deadline.ts";
import type { Membership } from "./membership.ts";
import { gapsOf, type PartitionOffsets } from "./offsets.ts";

export interface GapWatchDeps {
  readonly readOffsets: () => Promise<PartitionOffsets[]>;
  readonly commit: (
    offsets: readonly { readonly partition: number; readonly offset: string }[],
  ) => Promise<void>;
  readonly handleLost: (lost: LostRecords) => Promise<void>;
  readonly membership: Membership;
  readonly timers: Timers;
  readonly closing: AbortSignal;
  readonly log: Log;
}

export type GapWatch = ReturnType<typeof createGapWatch>;

const betweenLooksMs = 60_000;
/** One that never answers would hold up every batch: it is asked again. */
const readWithinMs = 10_000;
const firstDelayMs = 100;
const longestDelayMs = 2000;

/**
 * Finds the gaps that retention left before the group's commits, and has them dealt with before anything behind them
 * is delivered. kafkajs reads on from the earliest record by itself, so it is looked for
 * - at each joining, for all partitions that were assigned;
 * - where a batch does not begin with the record that was expected;
 * - once a minute, for partitions of which nothing is in hand: one that retention emptied delivers no batch.
 */
export function createGapWatch(deps: GapWatchDeps) {
  const { readOffsets, commit, handleLost, membership, timers, closing, log } = deps;
  /** What the group is known to have committed, and what is expected next, by partition. */
  const known = new Map<number, bigint>();
  const expected = new Map<number, bigint>();
  const inHand = new Set<number>();
  let assigned: readonly number[] = [];
  let looks: Promise<void> = Promise.resolve();
  let cancelNext: Cancel = () => undefined;

  const readInTime = () => withDeadline(readOffsets(), { timers, ms: readWithinMs });

  /** One after the other: the second of two finds what the first one has committed. */
  function look(partitions: () => readonly number[]): Promise<void> {
    const generation = membership.generation();
    const isStale = () => closing.aborted || membership.generation() !== generation;
    const run = () => insist(() => closeGaps(partitions(), isStale), isStale);
    looks = looks.then(run);
    return looks;
  }

  async function insist(run: () => Promise<void>, isStale: () => boolean): Promise<void> {
    for (let delayMs = firstDelayMs; !isStale(); delayMs = Math.min(delayMs * 2, longestDelayMs)) {
      try {
        return await run();
      } catch (err) {
        if (isStale()) return;
        log.debug("kafka.gaps.retrying", { err });
        await timers.sleep(delayMs, closing);
      }
    }
  }

  async function closeGaps(partitions: readonly number[], isStale: () => boolean): Promise<void> {
    const handled = new Set<string>();
    while (!isStale()) {
      const offsets = (await readInTime()).filter(({ partition }) => partitions.includes(partition));
      const gaps = gapsOf(offsets, known);
      const news = gaps.filter((gap) => !handled.has(nameOf(gap)));
      if (news.length > 0) await handleLost({ gaps: news, isStale });
      if (isStale()) return;
      for (const gap of news) handled.add(nameOf(gap));
      if (gaps.length === 0) return expect(offsets);
      await commit(gaps.map(({ partition, to }) => ({ partition, offset: to })));
      for (const { partition, to } of gaps) known.set(partition, BigInt(to));
      // Looked at again: kafkajs may put its own mark over the commit.
    }
  }

  function expect(offsets: readonly PartitionOffsets[]): void {
    for (const { partition, committed, low } of offsets) {
      if (committed !== null) known.set(partition, committed);
      expected.set(partition, committed ?? known.get(partition) ?? low);
    }
  }

  function lookLater(): void {
    cancelNext();
    cancelNext = timers.after(betweenLooksMs, () => {
      if (closing.aborted) return;
      // First: a member that was taken for lost may be one again without joining.
      lookLater();
      if (membership.isMember()) void look(() => assigned.filter((partition) => !inHand.has(partition)));
    });
  }

  return {
    /**
     * Before joining, since the first fetch may overwrite a commit that is out of range. Without it a gap is still
     * found, and only where it begins is not.
     */
    async begin(): Promise<void> {
      try {
        for (const { partition, committed } of await readInTime()) {
          if (committed !== null) known.set(partition, committed);
        }
      } catch (err) {
        log.debug("kafka.gaps.unread", { err });
      }
    },
    joined(partitions: readonly number[]): void {
      assigned = partitions;
      expected.clear();
      void look(() => partitions);
      lookLater();
    },
    /** Resolves when nothing is known to be lost between the last commit and `offset`, or the batch is stale. */
    async passed(partition: number, offset: string): Promise<void> {
      inHand.add(partition);
      await looks;
      const next = expected.get(partition);
      if (next !== undefined && next !== BigInt(offset)) await look(() => [partition]);
    },
    committed(partition: number, offset: string): void {
      known.set(partition, BigInt(offset));
      expected.set(partition, BigInt(offset));
    },
    released: (partition: number) => void inHand.delete(partition),
    async close(): Promise<void> {
      cancelNext();
      await looks;
    },
  };
}

function nameOf({ partition, to }: PartitionGap): string {
  return `${partition}:${to}`;
}
