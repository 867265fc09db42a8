import type { EachBatchPayload, IHeaders, KafkaMessage } from "kafkajs";
import { KafkaJSProtocolError } from "kafkajs";
import { dependencyUnavailable } from "../errors.ts";
import type { Log } from "../log.ts";
import type { ConsumerOptions, LoggedRecord, RecordBatch } from "../ports/event-log.ts";
import type { Timers } from "../ports/platform.ts";

export interface DeliveryContext {
  readonly callbacks: ConsumerOptions;
  readonly log: Log;
  readonly timers: Timers;
  /** Aborted when the consumer closes. */
  readonly closing: AbortSignal;
  /** A new number whenever the membership is lost or made anew. */
  readonly generation: () => number;
}

const firstDelayMs = 100;
const longestDelayMs = 1000; // no longer than the time between two heartbeats

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
export async function deliver(payload: EachBatchPayload, context: DeliveryContext): Promise<void> {
  const { topic, partition, messages } = payload.batch;
  const records = messages.map((message) => loggedRecord(message, topic, partition));
  const generation = context.generation();
  let committed = 0;
  let lostBy: unknown = null;

  const isStale = () =>
    lostBy !== null ||
    context.closing.aborted ||
    context.generation() !== generation ||
    !payload.isRunning() ||
    payload.isStale();

  async function heartbeat(): Promise<void> {
    requireOwned();
    try {
      await payload.heartbeat();
    } catch (error) {
      if (endsMembership(error)) {
        lostBy = error;
        throw dependencyUnavailable("kafka", error);
      }
      // Not answered is not known to be lost: the partition stays ours until the coordinator says otherwise.
      context.log.debug("kafka.heartbeat.failed", { partition, err: error });
    }
  }

  async function commit(record: LoggedRecord): Promise<void> {
    requireOwned();
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
    committed = Math.max(committed, count);
  }

  function requireOwned(): void {
    if (isStale()) throw dependencyUnavailable("kafka", lostBy ?? new Error("the partition was taken away"));
  }

  const batch = (): RecordBatch => ({
    partition,
    records: records.slice(committed),
    heartbeat,
    isStale,
    commit,
  });
  let delayMs = firstDelayMs;
  while (!isStale()) {
    const before = committed;
    try {
      await context.callbacks.handleBatch(batch());
    } catch (error) {
      if (!isStale()) context.log.warn("kafka.batch.failed", { partition, err: error });
    }
    if (committed === records.length) return;
    delayMs = committed > before ? firstDelayMs : delayMs;
    await context.timers.sleep(delayMs, context.closing);
    delayMs = Math.min(delayMs * 2, longestDelayMs);
    if (!isStale()) await heartbeat().catch(ignoreLoss);
  }
  if (lostBy !== null) throw lostBy;
}

/** It stands in `lostBy` by then, and ends the loop. */
function ignoreLoss(): void {}

function endsMembership(error: unknown): boolean {
  return error instanceof KafkaJSProtocolError && membershipFaults.has(error.type);
}

function loggedRecord(message: KafkaMessage, topic: string, partition: number): LoggedRecord {
  return {
    key: message.key,
    value: message.value,
    headers: headersOf(message.headers ?? {}),
    topic,
    partition,
    offset: message.offset,
    appendedAtMs: Number(message.timestamp),
  };
}

/** kafkajs gives null for a header without a value, whatever its types say. */
function headersOf(sent: IHeaders): LoggedRecord["headers"] {
  const headers = Object.entries(sent).map(([name, value]) => {
    if (value === undefined || value === null) return [name, undefined];
    return [name, Array.isArray(value) ? value.filter((each) => each !== null).map(bytesOf) : bytesOf(value)];
  });
  return Object.fromEntries(headers);
}

function bytesOf(value: string | Buffer): Uint8Array {
  return typeof value === "string" ? Buffer.from(value) : value;
}
