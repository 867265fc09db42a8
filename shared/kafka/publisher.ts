import { type Kafka, type Message, Partitioners, type Producer } from "kafkajs";
import { createCoalescer } from "../coalesce.ts";
import type { ConnectionAdvisor } from "../connection-advisor.ts";
import { dependencyUnavailable } from "../errors.ts";
import type { EventRecord, HeaderValue } from "../ports/event-log.ts";
import type { Timers } from "../ports/platform.ts";
import { withDeadline } from "./deadline.ts";

export interface Publisher {
  publish(topic: string, records: readonly EventRecord[]): Promise<void>;
  close(): Promise<void>;
}

export interface PublisherDeps {
  readonly timers: Timers;
  readonly advisor: ConnectionAdvisor;
}

const deadlineMs = 2000;
/** Well below the megabyte that a broker takes in one request by default. */
const sendLimits = { records: 500, bytes: 400_000 } as const;

/**
 * Not the idempotent producer: kafkajs takes its sequence number back when a request times out, although the broker
 * may have written it, and the next record under that number would be dropped as its duplicate. A record written
 * twice does no harm; one that is lost does.
 */
export function createPublisher(kafka: Kafka, { timers, advisor }: PublisherDeps): Publisher {
  const deadline = { timers, ms: deadlineMs };
  let producer = createProducer();
  let connecting: Promise<Producer> | null = null;

  function createProducer(): Producer {
    return kafka.producer({
      createPartitioner: Partitioners.DefaultPartitioner, // as the Java clients do: murmur2 of the key
      allowAutoTopicCreation: false,
    });
  }

  /** Once connected, the producer reconnects by itself. */
  function connect(): Promise<Producer> {
    const mine = producer;
    connecting ??= mine.connect().then(
      () => mine,
      (error: unknown) => {
        if (producer === mine) connecting = null;
        throw error;
      },
    );
    return connecting;
  }

  async function send(topic: string, messages: Message[]): Promise<void> {
    const mine = await connect();
    try {
      await mine.send({ topic, messages, acks: -1, timeout: deadlineMs });
    } catch (error) {
      if (isDeaf(error)) replace(mine);
      throw error;
    }
  }

  function replace(deaf: Producer): void {
    if (producer !== deaf) return;
    producer = createProducer();
    connecting = null;
    deaf.disconnect().catch(() => undefined); // it is of no use any more, however it ends
  }

  const byTopic = new Map<string, (records: readonly EventRecord[]) => Promise<undefined>>();

  /** What is published side by side goes in one request: the library sends each call by itself. */
  function publishTo(topic: string) {
    const known = byTopic.get(topic);
    if (known !== undefined) return known;
    const publish = createCoalescer<readonly EventRecord[], undefined>({
      weigh: (records) => records.length,
      mostInARun: sendLimits.records,
      async run(lists) {
        try {
          for (const messages of chunksOf(lists.flat())) await withDeadline(send(topic, messages), deadline);
          advisor.worked();
        } catch (error) {
          advisor.failed(error);
          throw isOfOneRecord(error) ? error : dependencyUnavailable("kafka", error);
        }
        return lists.map(() => undefined);
      },
    });
    byTopic.set(topic, publish);
    return publish;
  }

  return {
    async publish(topic, records) {
      try {
        if (records.length > 0) await publishTo(topic)(records);
      } catch (error) {
        throw isOfOneRecord(error) ? dependencyUnavailable("kafka", error) : error;
      }
    },
    close: () => withDeadline(producer.disconnect(), deadline),
  };
}

/**
 * kafkajs takes a connection for usable on which the broker never answered the first question (what it speaks): then
 * every call fails with this error for as long as that connection lasts, although the broker is well again (seen).
 */
function isDeaf(error: unknown): boolean {
  return error instanceof Error && error.message === "Broker not connected";
}

/** Then nobody else's record is to blame. */
function isOfOneRecord(error: unknown): boolean {
  return error instanceof Error && "type" in error && error.type === "MESSAGE_TOO_LARGE";
}

function* chunksOf(records: readonly EventRecord[]): Generator<Message[]> {
  let [chunk, bytes]: [Message[], number] = [[], 0];
  for (const record of records) {
    const size = sizeOf(record);
    if (chunk.length === sendLimits.records || (chunk.length > 0 && bytes + size > sendLimits.bytes)) {
      yield chunk;
      [chunk, bytes] = [[], 0];
    }
    chunk.push(messageOf(record));
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}

function messageOf({ key, value, headers }: EventRecord): Message {
  return {
    key: key === null ? null : bufferOf(key),
    value: value === null ? null : bufferOf(value),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, sent]) => [
        name,
        isOne(sent) ? bufferOf(sent) : sent.map(bufferOf),
      ]),
    ),
  };
}

function sizeOf({ key, value, headers }: EventRecord): number {
  let size = (key?.length ?? 0) + (value?.byteLength ?? 0) + 64;
  for (const [name, sent] of Object.entries(headers)) {
    for (const each of isOne(sent) ? [sent] : sent) size += name.length + each.length + 16;
  }
  return size;
}

function isOne(sent: HeaderValue): sent is string | Uint8Array {
  return typeof sent === "string" || sent instanceof Uint8Array;
}

function bufferOf(sent: string | Uint8Array): Buffer {
  return typeof sent === "string"
    ? Buffer.from(sent)
    : Buffer.from(sent.buffer, sent.byteOffset, sent.byteLength);
}
