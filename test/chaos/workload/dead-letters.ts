import { randomUUID } from "node:crypto";
import { Kafka, logLevel } from "kafkajs";
import type { Recorder } from "../recorder.ts";

const keptCharacters = 2_000;

/** Notes every dead letter that there is now. */
export async function noteDeadLetters(
  { kafkaBrokers, namespace }: { readonly kafkaBrokers: string; readonly namespace: string },
  recorder: Recorder,
): Promise<void> {
  const topic = `${namespace}.user-events.dead-letter`;
  const kafka = new Kafka({ brokers: [kafkaBrokers], clientId: "chaos", logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  const left = new Map(
    offsets.filter(({ low, high }) => low !== high).map(({ partition, high }) => [partition, Number(high)]),
  );
  if (left.size === 0) return;
  const consumer = kafka.consumer({ groupId: `chaos-${randomUUID()}`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        autoCommit: false,
        eachMessage: async ({ partition, message }) => {
          const { value, headers = {} } = message;
          const text = `${String(headers["ce_id"] ?? "")} ${value?.toString() ?? ""}`;
          const reason = String(headers["dead_letter_reason"]);
          recorder.note({
            op: "dead-letter",
            at: Number(message.timestamp),
            reason,
            text: text.slice(0, keptCharacters),
          });
          if (Number(message.offset) + 1 >= (left.get(partition) ?? Infinity)) left.delete(partition);
          if (left.size === 0) resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
}
