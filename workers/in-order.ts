import { groupByKey } from "../shared/group-by-key.ts";

/**
 * Runs `run` for every item: those with the same key one after the other in their order, different keys at the
 * same time, at most `limit` at once. When one throws, no further items are begun; rejects with the first error
 * once all that had begun have ended.
 */
export async function runInOrder<T>(
  items: readonly T[],
  options: { readonly limit: number; readonly keyOf: (item: T) => string },
  run: (item: T) => Promise<void>,
): Promise<void> {
  const queues = [...groupByKey(items, options.keyOf).values()];
  const failures: unknown[] = [];

  async function takeQueues(): Promise<void> {
    for (let queue = queues.shift(); queue; queue = queues.shift()) {
      for (const item of queue) {
        if (failures.length > 0) return;
        await run(item).catch((error: unknown) => void failures.push(error));
      }
    }
  }

  await Promise.all(Array.from({ length: Math.min(options.limit, queues.length) }, takeQueues));
  if (failures.length > 0) throw failures[0];
}
