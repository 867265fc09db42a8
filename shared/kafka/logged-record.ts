import type { IHeaders, KafkaMessage } from "kafkajs";
import type { LoggedRecord } from "../ports/event-log.ts";

export function loggedRecord(message: KafkaMessage, topic: string, partition: number): LoggedRecord {
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
