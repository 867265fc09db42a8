import { LRUCache } from "lru-cache";
import type { Repetition } from "../contest.ts";
import { uuidOf } from "./names.ts";
import {
  createEmptyBlacklist,
  createQueries,
  cutOff,
  fillBlacklist,
  fillMap,
  fillSet,
  type Query,
  startSeconds,
  subjectName,
} from "./revocations.ts";

export interface CheckParams {
  readonly entries: number;
  /** Users of whom every token is cut off. */
  readonly cutOffs: number;
  readonly hitPercent: number;
  readonly count: number;
}

export const sides = {
  async blacklist(params: CheckParams) {
    const blacklist = createEmptyBlacklist();
    fillBlacklist(blacklist, params.entries);
    cutOff(blacklist, params.cutOffs);
    return asking(params, (query) => blacklist.isRevoked(query) !== null);
  },

  async set(params: CheckParams) {
    const tokens = fillSet(params.entries);
    const isCutOff = createIsCutOff(params);
    return asking(params, (query) => isCutOff(query) || tokens.has(query.jti));
  },

  async map(params: CheckParams) {
    const tokens = fillMap(params.entries);
    const isCutOff = createIsCutOff(params);
    return asking(params, (query) => {
      if (isCutOff(query)) return true;
      const exp = tokens.get(query.jti);
      if (exp === undefined || exp > startSeconds) return exp !== undefined;
      tokens.delete(query.jti);
      return false;
    });
  },

  async lru(params: CheckParams) {
    const tokens = new LRUCache<string, true>({ max: params.entries, ttl: 3_600_000 });
    for (let token = 0; token < params.entries; token += 1) tokens.set(uuidOf(token), true);
    const isCutOff = createIsCutOff(params);
    return asking(params, (query) => isCutOff(query) || tokens.has(query.jti));
  },
};

/** As an engineer would add it to a list of tokens. */
function createIsCutOff({ cutOffs }: CheckParams): (query: Query) => boolean {
  const epochs = new Map(Array.from({ length: cutOffs }, (_, at) => [subjectName(at), 1]));
  return ({ sub, epoch }) => epochs.size > 0 && (epochs.get(sub) ?? 0) > epoch;
}

/** So few that their texts are still in the processor's cache, as those of a token are that was just verified. */
const queriesAtOnce = 200;

function asking({ entries, hitPercent, count }: CheckParams, isRevoked: (query: Query) => boolean) {
  let turn = 0;
  return (): Repetition => {
    let revoked = 0;
    let tookMs = 0;
    for (let asked = 0; asked < count; asked += queriesAtOnce) {
      const queries = createQueries({ entries, count: queriesAtOnce, hitPercent, turn });
      turn += 1;
      const startedAt = performance.now();
      for (const query of queries) if (isRevoked(query)) revoked += 1;
      tookMs += performance.now() - startedAt;
    }
    return { value: (tookMs * 1e6) / count, answers: String(revoked) };
  };
}
