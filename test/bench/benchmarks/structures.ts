import type { BenchContext, Benchmark } from "../benchmark.ts";
import type { Contest, Target } from "../contest.ts";
import { inProcessOfItsOwn } from "../side-process.ts";
import type { StructureParams } from "../sides/structures.ts";

const large = 5_000_000;
const sizeFor = ({ isShort }: BenchContext, entries: number) => (isShort ? 60_000 : entries);

export const memory: Benchmark = {
  name: "memory",
  about: "what one entry takes",
  async *contests(context) {
    for (const entries of [1_000_000, large].map((size) => sizeFor(context, size))) {
      for (const isPresized of [true, false]) {
        const atMost = isPresized ? 0.2 : 0.3;
        yield structureContest(context, {
          bench: "memory",
          unit: "bytes",
          params: { entries, isPresized },
          ours: "weighBlacklist",
          theirs: "weighMap",
          ...(entries === large && { target: { of: "ratio", atMost } }),
        });
      }
    }
  },
};

export const gc: Benchmark = {
  name: "gc",
  about: "a full garbage collection while they are held",
  async *contests(context) {
    const params = { entries: sizeFor(context, large) };
    const contest = structureContest(context, {
      bench: "gc",
      unit: "ms",
      params,
      ours: "collectBlacklist",
      theirs: "collectSet",
      target: { of: "ratio", atMost: 1 / 65 },
    });
    const empty = { module: "structures", side: "collectNothing", params };
    yield {
      ...contest,
      baselines: [...contest.baselines, inProcessOfItsOwn("a process that holds nothing", empty)],
    };
  },
};

export const prune: Benchmark = {
  name: "prune",
  about: "the longest block while one sixtieth of all expires",
  async *contests(context) {
    yield structureContest(context, {
      bench: "prune",
      unit: "ms",
      params: { entries: sizeFor(context, large) },
      ours: "pruneBlacklist",
      theirs: "pruneMap",
      target: { of: "ratio", atMost: 1 / 1_000 },
    });
  },
};

export const insertStall: Benchmark = {
  name: "insert-stall",
  about: "the longest time that a hundred more took while all were inserted, nothing presized",
  async *contests(context) {
    yield structureContest(context, {
      bench: "insert-stall",
      unit: "ms",
      params: { entries: sizeFor(context, large) },
      ours: "insertBlacklist",
      theirs: "insertSet",
      target: { of: "ours", atMost: 2 },
      opensAnew: true,
    });
  },
};

interface StructureContest {
  readonly bench: string;
  readonly unit: string;
  readonly params: StructureParams;
  /** Names of sides. */
  readonly ours: string;
  readonly theirs: string;
  readonly target?: Target;
  readonly opensAnew?: boolean;
}

export function structureContest({ isShort }: BenchContext, contest: StructureContest): Contest {
  const { bench, unit, params, ours, theirs, target, opensAnew = false } = contest;
  const { entries, isPresized } = params;
  const side = (name: string, of: string) =>
    inProcessOfItsOwn(name, { module: "structures", side: of, params });
  return {
    bench,
    params: { entries, ...(isPresized !== undefined && { presized: String(isPresized) }) },
    unit,
    repetitions: isShort ? 1 : 5,
    opensAnew,
    ours: side("blacklist", ours),
    baselines: [
      { ...side(theirs.endsWith("Map") ? "Map with expiry" : "Set", theirs), ...(target && { target }) },
    ],
  };
}
