import { freshNamespace } from "../../support/services.ts";
import type { BenchContext, Benchmark } from "../benchmark.ts";
import type { Contest, Target } from "../contest.ts";
import { inProcessOfItsOwn } from "../side-process.ts";
import type { ColdStartParams } from "../sides/cold-start.ts";
import { fillKeys, fillStore } from "../sides/fill.ts";
import { removeNamespace, type StorePlace } from "../sides/store.ts";

export const coldStart: Benchmark = {
  name: "cold-start",
  about:
    "loading everything into an instance that starts, and the longest time that it serves nobody meanwhile",
  async *contests(context) {
    const { redisUrl } = await context.services();
    const place = { redisUrl, namespace: freshNamespace() };
    context.atEnd(() => removeNamespace(place));
    const entries = context.isShort ? 2_000 : 1_000_000;
    context.log(`writing ${entries} revocations to Redis in both ways`);
    await fillStore(place, entries);
    await fillKeys(place, entries);
    for (const of of ["load", "stall"] as const) {
      const target: Target = of === "load" ? { of: "ratio", atMost: 1 / 30 } : { of: "ours", atMost: 10 };
      yield coldStartContest(context, { place, entries, of, target });
    }
    yield herdContest(context, { place, entries });
  },
};

/** Many instances that start at once must not keep the workers from the store. */
function herdContest(
  { isShort }: BenchContext,
  { place, entries }: { readonly place: StorePlace; readonly entries: number },
): Contest {
  const instances = isShort ? 3 : 50;
  const sideOf = (name: string, loading: number) =>
    inProcessOfItsOwn(name, { module: "herd", side: "herd", params: { ...place, instances: loading } });
  return {
    bench: "cold-start",
    params: { entries, of: "p99 of a call meanwhile", instances },
    unit: "ms",
    repetitions: isShort ? 1 : 5,
    ours: sideOf(`while ${instances} instances load at once`, instances),
    baselines: [sideOf("while nobody loads", 0)],
  };
}

export function coldStartContest(
  { isShort }: BenchContext,
  options: {
    readonly place: StorePlace;
    readonly entries: number;
    readonly of: ColdStartParams["of"];
    readonly target?: Target;
  },
): Contest {
  const { place, entries, of, target } = options;
  const sideOf = (name: string, side: string) =>
    inProcessOfItsOwn(name, { module: "cold-start", side, params: { ...place, of } });
  return {
    bench: "cold-start",
    params: { entries, of },
    unit: "ms",
    repetitions: isShort ? 1 : 5,
    ours: sideOf("packed records, 256 kB at a time", "quash"),
    baselines: [{ ...sideOf("SCAN and EXPIRETIME", "scan"), ...(target && { target }) }],
  };
}
