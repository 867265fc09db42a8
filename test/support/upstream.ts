import { randomUUID } from "node:crypto";
import { type IHeaders, Kafka, logLevel, Partitioners } from "kafkajs";

export interface UpstreamEvent {
  readonly id?: string;
  readonly source?: string;
  readonly type: string;
  readonly subject?: string;
  readonly time?: string;
  readonly data?: Record<string, unknown>;
}

/** Another program that publishes to the topic: plain kafkajs, nothing of ours. */
export async function connectUpstream(kafkaBrokers: string, namespace: string) {
  const kafka = new Kafka({
    brokers: kafkaBrokers.split(","),
    clientId: "upstream",
    logLevel: logLevel.NOTHING,
  });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const topic = `${namespace}.user-events`;

  async function publishRaw(
    value: string | Buffer | null,
    headers: IHeaders = {},
    key: string | null = null,
  ) {
    await producer.send({ topic, acks: -1, messages: [{ key, value, headers }] });
  }

  return {
    publishRaw,
    /** Structured mode. Answers with the event's id. */
    async publish(event: UpstreamEvent): Promise<string> {
      const whole = completed(event);
      const headers = { "content-type": "application/cloudevents+json; charset=UTF-8" };
      await publishRaw(JSON.stringify(whole), headers, event.subject ?? null);
      return whole.id;
    },
    /** Binary mode. Answers with the event's id. */
    async publishBinary(event: UpstreamEvent): Promise<string> {
      const { data, datacontenttype, ...attributes } = completed(event);
      const headers: IHeaders = { "content-type": datacontenttype };
      for (const [name, value] of Object.entries(attributes)) headers[`ce_${name}`] = value;
      await publishRaw(JSON.stringify(data), headers, event.subject ?? null);
      return attributes.id;
    },
    /** Waits for the first dead letter that `isIt` accepts. */
    async findDeadLetter(isIt: (value: Buffer | null) => boolean): Promise<Record<string, string>> {
      const consumer = kafka.consumer({ groupId: `upstream-${randomUUID()}`, maxWaitTimeInMs: 100 });
      await consumer.connect();
      await consumer.subscribe({ topic: `${topic}.dead-letter`, fromBeginning: true });
      const found = await new Promise<Record<string, string>>((resolve, reject) => {
        consumer
          .run({
            autoCommit: false,
            eachMessage: async ({ message }) => {
              if (!isIt(message.value)) return;
              resolve(
                Object.fromEntries(Object.entries(message.headers ?? {}).map(([k, v]) => [k, String(v)])),
              );
            },
          })
          .catch(reject);
      });
      await consumer.disconnect();
      return found;
    },
    close: () => producer.disconnect(),
  };
}

export type Upstream = Awaited<ReturnType<typeof connectUpstream>>;

function completed(event: UpstreamEvent) {
  return {
    specversion: "1.0",
    id: event.id ?? randomUUID(),
    source: event.source ?? "/hr",
    type: event.type,
    ...(event.subject === undefined ? {} : { subject: event.subject }),
    time: event.time ?? new Date().toISOString(),
    datacontenttype: "application/json",
    data: event.data ?? {},
  };
}
