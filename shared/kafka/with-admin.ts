import type { Admin, Kafka } from "kafkajs";

/** A connection for one administrative call. */
export async function withAdmin<T>(
  kafka: Pick<Kafka, "admin">,
  run: (admin: Admin) => Promise<T>,
): Promise<T> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await run(admin);
  } finally {
    // Its failure says nothing about the call, and must not stand in place of what does.
    await admin.disconnect().catch(() => undefined);
  }
}
