import type { PackedAdditions } from "../../shared/revocation/packed-additions.ts";
import type { CutOffs } from "./cut-offs.ts";
import type { ExpiryBuckets } from "./expiry-buckets.ts";
import type { FingerprintWords } from "./fingerprint-words.ts";
import { chooseCutOffs, chooseTokens } from "./packed-records.ts";

interface Tables {
  readonly tokens: ExpiryBuckets;
  readonly unrecorded: ExpiryBuckets;
  readonly cutOffs: CutOffs;
  /** Overwritten. */
  readonly words: FingerprintWords;
}

/**
 * Which of the records the tables do not enforce for as long as they live. A generation that dies before a record's own
 * covers it for too short a time, so it counts for nothing. What has died is left out: the store keeps that longer.
 */
export function lackingRecords(
  { tokens, unrecorded, cutOffs, words }: Tables,
  additions: PackedAdditions,
  nowMs: number,
): PackedAdditions {
  return {
    tokens: chooseTokens(
      additions.tokens,
      words,
      (exp) => !tokens.has(words, exp) && !tokens.isDead(exp, nowMs),
    ),
    unrecordedTokens: chooseTokens(
      additions.unrecordedTokens,
      words,
      (until) => !unrecorded.hasFrom(words, until) && !unrecorded.isDead(until, nowMs),
    ),
    cutOffs: chooseCutOffs(
      additions.cutOffs,
      words,
      (record) => !cutOffs.covers(words, record) && !cutOffs.generations.isDead(record.until, nowMs),
    ),
  };
}
