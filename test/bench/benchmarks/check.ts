import type { BenchContext, Benchmark } from "../benchmark.ts";
import type { Contest, Target } from "../contest.ts";
import { inProcessOfItsOwn } from "../side-process.ts";
import type { CheckParams } from "../sides/check.ts";

const missTargets = new Map<number, Target>([
  [1_000_000, { of: "ratio", atMost: 0.12 }],
  [5_000_000, { of: "ratio", atMost: 0.17 }],
]);

export const checkMiss: Benchmark = {
  name: "check-miss",
  about: "one look at the blacklist for a token that is not in it, its id read anew from the text",
  async *contests(context) {
    for (const entries of sizesOf(context))
      yield checkContest("check-miss", { entries, cutOffs: 0, context });
    const [entries = 0] = sizesOf(context);
    yield checkContest("check-miss", { entries, cutOffs: entries / 10, context });
  },
};

export const checkHit: Benchmark = {
  name: "check-hit",
  about: "the same for a token that is in it",
  async *contests(context) {
    for (const entries of sizesOf(context)) yield checkContest("check-hit", { entries, cutOffs: 0, context });
  },
};

const sizesOf = ({ isShort }: BenchContext) => (isShort ? [1_000] : [1_000_000, 5_000_000]);

export function checkContest(
  bench: "check-miss" | "check-hit",
  { entries, cutOffs, context }: { entries: number; cutOffs: number; context: BenchContext },
): Contest {
  const params: CheckParams = {
    entries,
    cutOffs,
    hitPercent: bench === "check-hit" ? 100 : 0,
    count: context.isShort ? 1_000 : 200_000,
  };
  const side = (name: string, of: string) => inProcessOfItsOwn(name, { module: "check", side: of, params });
  const target = bench === "check-miss" && cutOffs === 0 ? missTargets.get(entries) : undefined;
  return {
    bench,
    params: { entries, cut_offs: cutOffs },
    unit: "ns",
    repetitions: context.isShort ? 1 : 9,
    ours: side("blacklist", "blacklist"),
    baselines: [
      { ...side("Set", "set"), ...(target && { target }) },
      side("Map with expiry", "map"),
      side("lru-cache with ttl", "lru"),
    ],
  };
}
