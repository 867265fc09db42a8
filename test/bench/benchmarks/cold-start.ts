import { freshNamespace } from "../../support/services.ts";
import type { Benchmark } from "../benchmark.ts";
import { inProcessOfItsOwn } from "../side-process.ts";
import { fillKeys, fillStore } from "../sides/fill.ts";
import { removeNamespace } from "../sides/store.ts";

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
      const params = { ...place, of };
      const sideOf = (name: string, side: string) =>
        inProcessOfItsOwn(name, { module: "cold-start", side, params });
      yield {
        bench: "cold-start",
        params: { entries, of },
        unit: "ms",
        repetitions: context.isShort ? 1 : 5,
        ours: sideOf("packed records, 256 kB at a time", "quash"),
        baselines: [
          {
            ...sideOf("SCAN and EXPIRETIME", "scan"),
            target: of === "load" ? { of: "ratio", atMost: 1 / 30 } : { of: "ours", atMost: 10 },
          },
        ],
      };
    }
  },
};
