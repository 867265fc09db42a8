import { type Blacklist, createBlacklist } from "../../../api/blacklist/blacklist.ts";
import { createPlatform } from "../../../shared/platform.ts";
import { clockErrorAllowedMs } from "../../../shared/revocation/addition.ts";
import { createFingerprinter } from "../../../shared/revocation/fingerprint.ts";
import { noAdditions, tokenRecordBytes } from "../../../shared/revocation/packed-additions.ts";
import type { Repetition } from "../contest.ts";
import { uuidOf, writeUuid } from "./names.ts";
import { issuer, startSeconds } from "./revocations.ts";

export interface StructureParams {
  readonly entries: number;
  /** Whether the tables are told how many are to come, as they are when an instance loads. */
  readonly isPresized?: boolean;
}

const minutes = 60;
const recordsAtOnce = 4_096;
const recordsInAnnouncement = 100;
const expiryOf = (token: number) => startSeconds + 900 + (token % minutes) * 60;

/** A clock that tests move; pruning follows it at once. */
function createMovingClock() {
  let wallMs = startSeconds * 1_000;
  return {
    clock: { wallMs: () => wallMs, monotonicMs: () => wallMs },
    moveTo: (seconds: number) => (wallMs = seconds * 1_000),
  };
}

function createEmpty(clock = createMovingClock().clock): Blacklist {
  const fingerprint = createFingerprinter(issuer);
  return createBlacklist({
    ...createPlatform(),
    clock,
    fingerprint,
    ownIssuer: issuer,
    longestLifetimeMs: () => 1,
  });
}

/** By minute, as the store hands them out; `from` and `to` count within the minute. */
function packMinute(minute: number, from: number, to: number): Buffer {
  const bytes = Buffer.alloc((to - from) * tokenRecordBytes);
  for (let at = from; at < to; at += 1) {
    const token = at * minutes + minute;
    writeUuid(token, bytes, (at - from) * tokenRecordBytes);
    bytes.writeUInt32BE(expiryOf(token), (at - from) * tokenRecordBytes + 16);
  }
  return bytes;
}

function fill(blacklist: Blacklist, { entries, isPresized = true }: StructureParams): void {
  const inMinute = Math.ceil(entries / minutes);
  for (let minute = 0; minute < minutes; minute += 1) {
    for (let from = 0; from < inMinute; from += recordsAtOnce) {
      const tokens = packMinute(minute, from, Math.min(inMinute, from + recordsAtOnce));
      blacklist.apply({ ...noAdditions, tokens }, isPresized ? inMinute : undefined);
    }
  }
}

function fillMap(entries: number): Map<string, number> {
  const map = new Map<string, number>();
  const inMinute = Math.ceil(entries / minutes);
  for (let token = 0; token < inMinute * minutes; token += 1) map.set(uuidOf(token), expiryOf(token));
  return map;
}

function fillSet(entries: number): Set<string> {
  const set = new Set<string>();
  for (let token = 0; token < entries; token += 1) set.add(uuidOf(token));
  return set;
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

/** What each entry takes, of the heap and beside it. */
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

/** A full collection while they are held. */
function collecting(held: unknown, size: () => number) {
  return (): Repetition => {
    const startedAt = performance.now();
    collect();
    const tookMs = performance.now() - startedAt;
    if (held === undefined) throw new Error("nothing is held");
    return { value: tookMs, answers: String(size()) };
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

export const sides = {
  weighQuash: async (params: StructureParams) =>
    weighing(params.entries, () => {
      const blacklist = createEmpty();
      fill(blacklist, params);
      return blacklist;
    }),
  weighMap: async ({ entries }: StructureParams) => weighing(entries, () => fillMap(entries)),

  async collectQuash(params: StructureParams) {
    const blacklist = createEmpty();
    fill(blacklist, params);
    return collecting(blacklist, () => blacklist.entries);
  },
  async collectSet({ entries }: StructureParams) {
    const set = fillSet(Math.ceil(entries / minutes) * minutes);
    return collecting(set, () => set.size);
  },

  /** One minute of sixty goes with each repetition. */
  async pruneQuash(params: StructureParams) {
    const moving = createMovingClock();
    const blacklist = createEmpty(moving.clock);
    fill(blacklist, params);
    // The pruning clock starts behind, and catches up once a lifetime has passed.
    for (let look = 0; look < 2; look += 1) {
      blacklist.prune();
      moving.moveTo(startSeconds + 1);
    }
    let minute = 0;
    return (): Repetition => {
      minute += 1;
      moving.moveTo(startSeconds + 900 + minute * 60 + clockErrorAllowedMs / 1_000);
      const startedAt = performance.now();
      const pruned = blacklist.prune();
      return { value: performance.now() - startedAt, answers: String(pruned) };
    };
  },
  async pruneMap({ entries }: StructureParams) {
    const map = fillMap(entries);
    let minute = 0;
    return (): Repetition => {
      minute += 1;
      const nowSeconds = startSeconds + 900 + minute * 60;
      let pruned = 0;
      const startedAt = performance.now();
      for (const [token, exp] of map) {
        if (exp >= nowSeconds) continue;
        map.delete(token);
        pruned += 1;
      }
      return { value: performance.now() - startedAt, answers: String(pruned) };
    };
  },

  /** As they are announced, a hundred at a time, into tables that nobody has presized. */
  async insertQuash({ entries }: StructureParams) {
    return (): Repetition => {
      const blacklist = createEmpty();
      let token = 0;
      const longestMs = longestStep(() => {
        const tokens = Buffer.alloc(recordsInAnnouncement * tokenRecordBytes);
        for (let at = 0; at < tokens.length; at += tokenRecordBytes, token += 1) {
          writeUuid(token, tokens, at);
          tokens.writeUInt32BE(expiryOf(token), at + 16);
        }
        blacklist.apply({ ...noAdditions, tokens });
        return token >= entries;
      });
      return { value: longestMs, answers: String(blacklist.entries) };
    };
  },
  async insertSet({ entries }: StructureParams) {
    return (): Repetition => {
      const set = new Set<string>();
      let token = 0;
      const longestMs = longestStep(() => {
        for (let at = 0; at < recordsInAnnouncement; at += 1, token += 1) set.add(uuidOf(token));
        return token >= entries;
      });
      return { value: longestMs, answers: String(set.size) };
    };
  },
};
