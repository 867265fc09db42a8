import type { EachBatchPayload } from "kafkajs";
import { dependencyUnavailable } from "../errors.ts";
import type { Log } from "../log.ts";
import type { ConsumerOptions, LoggedRecord, RecordBatch } from "../ports/event-log.ts";
import type { Timers } from "../ports/platform.ts";
import type { GapWatch } from "./gap-watch.ts";
import { loggedRecord } from "./logged-record.ts";
import type { Membership } from "./membership.ts";

export interface DeliveryContext {
  readonly callbacks: ConsumerOptions;
  readonly log: Log;
  readonly timers: Timers;
  /** Aborted when the consumer closes. */
  readonly closing: AbortSignal;
  readonly membership: Membership;
  readonly gaps: Pick<GapWatch, "passed" | "committed" | "released">;
}

const firstDelayMs = 100;
const longestDelayMs = 1000; // no longer than the time between two heartbeats
const keepEveryMs = 1000;

const membershipFaults = new Set([
  "REBALANCE_IN_PROGRESS",
  "NOT_COORDINATOR_FOR_GROUP",
  "ILLEGAL_GENERATION",
  "UNKNOWN_MEMBER_ID",
]);

/**
 * Hands over one batch until all of it is committed, the partition is taken away, or the consumer closes. What the
 * handler leaves uncommitted it gets again after a delay. Rejects only with what ended the membership: kafkajs joins
 * again then. An error of the handler never reaches kafkajs, which would end the consumer for some.
 */
export async function deliver(
  payload: EachBatchPayload,
  generation: number,
  context: DeliveryContext,
): Promise<void> {
  const { gaps } = context;
  const { partition, messages } = payload.batch;
  const held = holdBatch(payload, generation, context);
  try {
    const [first] = messages;
    if (first !== undefined) await keepUntil(gaps.passed(partition, first.offset), held, context);
    await handOver(held, context);
  } finally {
    gaps.released(partition);
  }
}

async function keepUntil(done: Promise<void>, held: HeldBatch, { timers }: DeliveryContext): Promise<void> {
  const ended = new AbortController();
  const ending = done.finally(() => ended.abort());
  while (!ended.signal.aborted && !held.isStale()) {
    await timers.sleep(keepEveryMs, ended.signal);
    if (!ended.signal.aborted) await held.keep();
  }
  if (ended.signal.aborted) await ending;
}

async function handOver(
  held: HeldBatch,
  { callbacks, closing, log, timers }: DeliveryContext,
): Promise<void> {
  let delayMs = firstDelayMs;
  while (!held.isStale()) {
    const batch = held.rest();
    try {
      await callbacks.handleBatch(batch);
    } catch (error) {
      if (!held.isStale()) log.warn("kafka.batch.failed", { partition: batch.partition, err: error });
    }
    const left = held.rest().records.length;
    if (left === 0) return;
    if (left < batch.records.length) delayMs = firstDelayMs;
    await timers.sleep(delayMs, closing);
    delayMs = Math.min(delayMs * 2, longestDelayMs);
    await held.keep();
  }
  held.throwIfLost();
}

interface HeldBatch {
  isStale(): boolean;
  /** What is not committed. */
  rest(): RecordBatch;
  /** A heartbeat that never rejects: `isStale` tells what came of it. */
  keep(): Promise<void>;
  throwIfLost(): void;
}

function holdBatch(payload: EachBatchPayload, generation: number, context: DeliveryContext): HeldBatch {
  const { topic, partition, messages } = payload.batch;
  const records = messages.map((message) => loggedRecord(message, topic, partition));
  let committed = 0;
  let lostBy: unknown = null;

  const isStale = () =>
    lostBy !== null ||
    context.closing.aborted ||
    context.membership.generation() !== generation ||
    !payload.isRunning() ||
    payload.isStale();

  function requireHeld(): void {
    if (isStale()) throw dependencyUnavailable("kafka", lostBy ?? new Error("the partition was taken away"));
  }

  async function keep(): Promise<void> {
    if (isStale()) return;
    try {
      await payload.heartbeat();
    } catch (error) {
      // Not answered is not known to be lost: the partition stays ours until the coordinator says otherwise.
      if (endsMembership(error)) lostBy = error;
      else context.log.debug("kafka.heartbeat.failed", { partition, err: error });
    }
  }

  async function commit(record: LoggedRecord): Promise<void> {
    requireHeld();
    const count = records.findIndex(({ offset }) => offset === record.offset) + 1;
    if (count <= committed) return;
    const offset = String(BigInt(record.offset) + 1n);
    try {
      await payload.commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset }] }] });
    } catch (error) {
      if (endsMembership(error)) lostBy = error;
      throw dependencyUnavailable("kafka", error);
    }
    payload.resolveOffset(record.offset);
    context.gaps.committed(partition, offset);
    committed = Math.max(committed, count);
  }

  async function heartbeat(): Promise<void> {
    await keep();
    requireHeld();
  }

  return {
    isStale,
    rest: () => ({ partition, records: records.slice(committed), heartbeat, isStale, commit }),
    keep,
    throwIfLost: () => {
      if (lostBy !== null) throw lostBy;
    },
  };
}

function endsMembership(error: unknown): boolean {
  return error instanceof Error && "type" in error && membershipFaults.has(String(error.type));
}
