import type { Admin, Kafka } from "kafkajs";

/** A connection for one administrative call. */
export async function withAdmin<T>(kafka: Kafka, run: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await run(admin);
  } finally {
    await admin.disconnect();
  }
}
