import type { Blacklist } from "../../../api/blacklist/blacklist.ts";
import { clockErrorAllowedMs } from "../../../shared/revocation/addition.ts";
import { noAdditions, tokenRecordBytes } from "../../../shared/revocation/packed-additions.ts";
import type { Repetition } from "../contest.ts";
import { uuidOf } from "./names.ts";
import {
  createEmptyBlacklist,
  fillBlacklist,
  fillMap,
  fillSet,
  packTokens,
  roundedUp,
  startSeconds,
} from "./revocations.ts";

export interface StructureParams {
  readonly entries: number;
  /** Whether the tables are told how many are to come, as they are when an instance loads. */
  readonly isPresized?: boolean;
}

const recordsInAnnouncement = 100;

/** A clock that is moved by hand. */
function createMovingClock() {
  let nowMs = startSeconds * 1_000;
  const read = () => nowMs;
  return { clock: { wallMs: read, monotonicMs: read, bootMs: read }, advance: (ms: number) => (nowMs += ms) };
}

function usedBytes(): number {
  for (let pass = 0; pass < 3; pass += 1) collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function collect(): void {
  if (globalThis.gc === undefined) throw new Error("run with --expose-gc");
  globalThis.gc();
}

/** What each entry takes, on the heap and beside it. */
function weighing(entries: number, make: () => ReadonlyMap<string, number> | Blacklist) {
  let kept: ReadonlyMap<string, number> | Blacklist | undefined;
  return (): Repetition => {
    kept = undefined;
    const before = usedBytes();
    kept = make();
    const bytes = usedBytes() - before;
    const held = kept instanceof Map ? kept.size : kept.entries;
    return { value: bytes / entries, answers: String(held) };
  };
}

/** A full collection while so many are held. */
function collecting(countHeld: () => number) {
  return (): Repetition => {
    const startedAt = performance.now();
    collect();
    return { value: performance.now() - startedAt, answers: String(countHeld()) };
  };
}

/** Runs `step` again and again until it says that it is done; the longest time that one took. */
function longestStep(step: () => boolean): number {
  let longestMs = 0;
  for (let isDone = false; !isDone; ) {
    const startedAt = performance.now();
    isDone = step();
    longestMs = Math.max(longestMs, performance.now() - startedAt);
  }
  return longestMs;
}

function createFilled({ entries, isPresized }: StructureParams): Blacklist {
  const blacklist = createEmptyBlacklist();
  fillBlacklist(blacklist, entries, isPresized);
  return blacklist;
}

export const sides = {
  weighBlacklist: async (params: StructureParams) => weighing(params.entries, () => createFilled(params)),
  weighMap: async ({ entries }: StructureParams) => weighing(entries, () => fillMap(entries)),

  async collectBlacklist(params: StructureParams) {
    const blacklist = createFilled(params);
    return collecting(() => blacklist.entries);
  },
  /** What the process itself has on its heap, with the same modules loaded. */
  async collectNothing({ entries }: StructureParams) {
    const blacklist = createEmptyBlacklist();
    return collecting(() => blacklist.entries + roundedUp(entries));
  },
  async collectSet({ entries }: StructureParams) {
    const set = fillSet(entries);
    return collecting(() => set.size);
  },

  /** One minute of sixty goes with each repetition. */
  async pruneBlacklist({ entries }: StructureParams) {
    const { clock, advance } = createMovingClock();
    const blacklist = createEmptyBlacklist(clock);
    fillBlacklist(blacklist, entries);
    // The pruning clock starts behind, and catches up once a lifetime has passed.
    for (let look = 0; look < 2; look += 1) {
      blacklist.prune();
      advance(1);
    }
    advance(clockErrorAllowedMs);
    return (): Repetition => {
      advance(60_000);
      const startedAt = performance.now();
      const pruned = blacklist.prune();
      return { value: performance.now() - startedAt, answers: String(pruned) };
    };
  },
  async pruneMap({ entries }: StructureParams) {
    const map = fillMap(entries);
    let nowSeconds = startSeconds;
    return (): Repetition => {
      nowSeconds += 60;
      let pruned = 0;
      const startedAt = performance.now();
      for (const [token, exp] of map) {
        if (exp > nowSeconds) continue;
        map.delete(token);
        pruned += 1;
      }
      return { value: performance.now() - startedAt, answers: String(pruned) };
    };
  },

  /**
   * As they are announced, a hundred at a time, into tables that nobody has presized. The records are there beforehand,
   * as they would have come from the network; the names are made on the way, since it is the Set that keeps them.
   */
  async insertBlacklist({ entries }: StructureParams) {
    const records = packTokens(roundedUp(entries) + recordsInAnnouncement, (at) => at);
    const announcementBytes = recordsInAnnouncement * tokenRecordBytes;
    return (): Repetition => {
      const blacklist = createEmptyBlacklist();
      let next = 0;
      const longestMs = longestStep(() => {
        const from = next * tokenRecordBytes;
        const tokens = records.subarray(from, from + announcementBytes);
        blacklist.apply({ ...noAdditions, tokens });
        next += recordsInAnnouncement;
        return next >= roundedUp(entries);
      });
      return { value: longestMs, answers: String(blacklist.entries) };
    };
  },
  async insertSet({ entries }: StructureParams) {
    return (): Repetition => {
      const set = new Set<string>();
      let next = 0;
      const longestMs = longestStep(() => {
        for (let at = 0; at < recordsInAnnouncement; at += 1) set.add(uuidOf(next + at));
        next += recordsInAnnouncement;
        return next >= roundedUp(entries);
      });
      return { value: longestMs, answers: String(set.size) };
    };
  },
};
