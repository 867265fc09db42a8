import { createConnection } from "mongoose";

/** How long the server takes to hand out every token once, by one cursor and nothing else: what no rebuild can beat. */
export async function bareReadMs(mongoUrl: string, namespace: string): Promise<number> {
  const connection = await createConnection(mongoUrl, { dbName: namespace }).asPromise();
  const fromMs = performance.now();
  try {
    const projection = { expiresAt: 1, revokedBy: 1 };
    const cursor = connection.collection("tokens").find({}, { projection, batchSize: 5_000 });
    while (await cursor.hasNext()) cursor.readBufferedDocuments();
    return Math.round(performance.now() - fromMs);
  } finally {
    await connection.close();
  }
}
