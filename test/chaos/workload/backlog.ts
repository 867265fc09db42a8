import { Kafka, logLevel } from "kafkajs";
import { readLag } from "../../../shared/kafka/read-lag.ts";

/** How many records the workers have not committed yet: what stands there has no row that could be waited for. */
export async function readBacklog(place: {
  readonly kafkaBrokers: string;
  readonly namespace: string;
}): Promise<number> {
  const kafka = new Kafka({ brokers: place.kafkaBrokers.split(","), logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  try {
    await admin.connect();
    const lags = await readLag(admin, place.namespace);
    return lags.reduce((sum, { records }) => sum + records, 0);
  } finally {
    await admin.disconnect();
  }
}
