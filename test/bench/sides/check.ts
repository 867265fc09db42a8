import { LRUCache } from "lru-cache";
import { type Blacklist, createBlacklist } from "../../../api/blacklist/blacklist.ts";
import { createPlatform } from "../../../shared/platform.ts";
import { createFingerprinter } from "../../../shared/revocation/fingerprint.ts";
import { noAdditions, packAdditions } from "../../../shared/revocation/packed-additions.ts";
import type { Repetition } from "../contest.ts";
import {
  createQueries,
  expiryOf,
  issuer,
  packTokens,
  type Query,
  startSeconds,
  subjectName,
  tokenName,
} from "./revocations.ts";

export interface CheckParams {
  readonly entries: number;
  readonly isHit: boolean;
  readonly count: number;
}

/** One user in ten tokens' worth of users is cut off as a whole. */
const tokensToACutOff = 10;
const recordsAtOnce = 4_096;

export function createFilledBlacklist(entries: number): Blacklist {
  const fingerprint = createFingerprinter(issuer);
  const clock = { wallMs: () => startSeconds * 1_000, monotonicMs: () => performance.now() };
  const blacklist = createBlacklist({ ...createPlatform(), clock, fingerprint, ownIssuer: issuer });
  for (let from = 0; from < entries; from += recordsAtOnce) {
    const tokens = packTokens(from, Math.min(entries, from + recordsAtOnce));
    blacklist.apply({ ...noAdditions, tokens });
  }
  for (let subject = 0; subject < entries / tokensToACutOff; subject += 1) {
    const cutOff = {
      subject: fingerprint(issuer, subjectName(subject)),
      epoch: 1,
      notBefore: 0,
      until: startSeconds + 1_800,
    };
    blacklist.apply(packAdditions([{ kind: "cut-off", ...cutOff }]));
  }
  return blacklist;
}

const epochsOf = (entries: number) =>
  new Map(Array.from({ length: entries / tokensToACutOff }, (_, subject) => [subjectName(subject), 1]));

export const sides = {
  async quash({ entries, ...asked }: CheckParams) {
    const blacklist = createFilledBlacklist(entries);
    return asking({ entries, ...asked }, (query) => blacklist.isRevoked(query) !== null);
  },

  async set({ entries, ...asked }: CheckParams) {
    const tokens = new Set<string>();
    for (let token = 0; token < entries; token += 1) tokens.add(tokenName(token));
    const epochs = epochsOf(entries);
    return asking(
      { entries, ...asked },
      ({ jti, sub, epoch }) => (epochs.get(sub) ?? 0) > epoch || tokens.has(jti),
    );
  },

  async map({ entries, ...asked }: CheckParams) {
    const tokens = new Map<string, number>();
    for (let token = 0; token < entries; token += 1) tokens.set(tokenName(token), expiryOf(token));
    const epochs = epochsOf(entries);
    const nowSeconds = startSeconds;
    return asking({ entries, ...asked }, ({ jti, sub, epoch }) => {
      if ((epochs.get(sub) ?? 0) > epoch) return true;
      const exp = tokens.get(jti);
      if (exp === undefined || exp > nowSeconds) return exp !== undefined;
      tokens.delete(jti);
      return false;
    });
  },

  async lru({ entries, ...asked }: CheckParams) {
    const tokens = new LRUCache<string, true>({ max: entries, ttl: 1_800_000 });
    for (let token = 0; token < entries; token += 1) tokens.set(tokenName(token), true);
    const epochs = epochsOf(entries);
    return asking(
      { entries, ...asked },
      ({ jti, sub, epoch }) => (epochs.get(sub) ?? 0) > epoch || tokens.has(jti),
    );
  },
};

function asking({ entries, isHit, count }: CheckParams, isRevoked: (query: Query) => boolean) {
  let turn = 0;
  return (): Repetition => {
    const queries = createQueries({ entries, count, isHit, turn });
    turn += 1;
    let revoked = 0;
    const startedAt = performance.now();
    for (const query of queries) if (isRevoked(query)) revoked += 1;
    const tookMs = performance.now() - startedAt;
    return { value: (tookMs * 1e6) / count, answers: String(revoked) };
  };
}
