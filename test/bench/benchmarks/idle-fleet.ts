import { freshNamespace } from "../../support/services.ts";
import type { Benchmark } from "../benchmark.ts";
import { rowOf, spreadOf } from "../contest.ts";
import { type Cost, costOf, type Fleet, openProduct, openRegistrations } from "../idle-fleet/fleet.ts";
import { removeNamespace } from "../sides/store.ts";

const ours = "sync, lease and subscription";
const baseline = "SET with EX every second";

/** Not in it: the comparison with the store, whose cost is its contents each minute. */
export const idleFleet: Benchmark = {
  name: "idle-fleet",
  about: "what an instance that does nothing asks of Redis a second",
  async *contests(context) {
    const { redisUrl } = await context.services();
    const forMs = context.isShort ? 1_000 : 10_000;
    const repetitions = context.isShort ? 1 : 5;
    for (const instances of context.isShort ? [1, 2] : [1, 2, 4]) {
      const place = { redisUrl, namespace: freshNamespace() };
      context.atEnd(() => removeNamespace(place));
      const costs = { ours: [] as Cost[], baseline: [] as Cost[] };
      const measure = async (open: () => Promise<Fleet>, into: Cost[]) => {
        const fleet = await open();
        try {
          into.push(await costOf(redisUrl, { instances, forMs }));
        } finally {
          await fleet.close();
        }
      };
      for (let turn = 0; turn < repetitions; turn += 1) {
        await measure(() => openProduct(place, instances), costs.ours);
        await measure(() => openRegistrations(place, instances), costs.baseline);
      }
      yield (["calls", "bytes"] as const).map((of) => {
        const spreadIn = (measured: readonly Cost[]) => spreadOf(measured.map((cost) => cost[of]));
        return rowOf({
          bench: "idle-fleet",
          params: { instances, of: `${of} a second of each` },
          unit: of,
          repetitions,
          ours: { name: ours, ...spreadIn(costs.ours) },
          baseline: { name: baseline, ...spreadIn(costs.baseline) },
        });
      });
    }
  },
};
