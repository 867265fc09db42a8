import { freshNamespace } from "../../support/services.ts";
import type { BenchContext, Benchmark } from "../benchmark.ts";
import { type Contest, type Row, rowOf } from "../contest.ts";
import { cutOffByKeys, cutOffInStore, fillKeys, fillStore } from "../sides/fill.ts";
import { openRedis, openStore, removeNamespace, type StorePlace } from "../sides/store.ts";
import { checkContest } from "./check.ts";
import { coldStartContest } from "./cold-start.ts";
import { massRevocationContest } from "./mass-revocation.ts";
import { structureContest } from "./structures.ts";

const sizes = [1_000, 10_000, 100_000, 1_000_000, 5_000_000];

export const growth: Benchmark = {
  name: "growth",
  about: "how what matters grows with the number of revocations",
  async *contests(context) {
    for (const entries of context.isShort ? [20_000] : sizes) {
      context.log(`growth: ${entries} revocations`);
      yield* ofTheStructures(context, entries);
      yield* ofTheStore(context, entries);
    }
  },
};

/** Under one name, by what is measured. */
function as(of: string, { params, baselines: [first], ...contest }: Contest): Contest {
  const { entries = 0 } = params;
  return {
    ...contest,
    bench: "growth",
    params: { of, entries },
    baselines: first === undefined ? [] : [first],
  };
}

function* ofTheStructures(context: BenchContext, entries: number): Generator<Contest> {
  yield as("check", checkContest("check-miss", { entries, cutOffs: 0, context }));
  const structure = (of: string, unit: string, ours: string, theirs: string) =>
    as(of, structureContest(context, { bench: of, unit, params: { entries }, ours, theirs }));
  yield structure("memory", "bytes", "weighBlacklist", "weighMap");
  yield structure("prune", "ms", "pruneBlacklist", "pruneMap");
}

async function* ofTheStore(context: BenchContext, entries: number): AsyncGenerator<Contest | readonly Row[]> {
  const { redisUrl } = await context.services();
  const place = { redisUrl, namespace: freshNamespace() };
  try {
    yield [await weighInRedis("redis-memory", { place, entries, fillStore, fillKeys })];
    yield [await weighCutOffs(redisUrl, entries / 10)];
    yield as("load", coldStartContest(context, { place, entries, of: "load" }));
    // Beside what is there already.
    const revoking = massRevocationContest(context, { place, side: "cutOffs" });
    yield as("mass-revocation", { ...revoking, params: { entries } });
  } finally {
    await removeNamespace(place);
  }
}

/** In a place of their own: loading is measured without them. */
async function weighCutOffs(redisUrl: string, entries: number): Promise<Row> {
  const place = { redisUrl, namespace: freshNamespace() };
  try {
    return await weighInRedis("redis-memory-cut-offs", {
      place,
      entries,
      fillStore: cutOffInStore,
      fillKeys: cutOffByKeys,
    });
  } finally {
    await removeNamespace(place);
  }
}

type Fill = (place: StorePlace, entries: number) => Promise<void>;

/** Fills the store in both ways, and says what each revocation takes there once the feed is trimmed. */
async function weighInRedis(
  of: string,
  filling: { place: StorePlace; entries: number; fillStore: Fill; fillKeys: Fill },
): Promise<Row> {
  const { place, entries } = filling;
  const before = await usedBytes(place);
  await filling.fillStore(place, entries);
  const store = await openStore(place);
  while ((await store.trimFeed(-1, 100_000)) > 0);
  await store.close();
  const packed = await usedBytes(place);
  await filling.fillKeys(place, entries);
  const keys = await usedBytes(place);
  const each = (bytes: number) => {
    const one = bytes / entries;
    return { median: one, min: one, max: one };
  };
  return rowOf({
    bench: "growth",
    params: { of, entries },
    unit: "bytes",
    repetitions: 1,
    ours: { name: "packed records", ...each(packed - before) },
    baseline: { name: "one key each", ...each(keys - packed) },
  });
}

async function usedBytes({ redisUrl }: StorePlace): Promise<number> {
  const redis = openRedis(redisUrl);
  const memory = await redis.info("memory");
  redis.disconnect();
  return Number(/^used_memory:(\d+)/m.exec(memory)?.[1]);
}
