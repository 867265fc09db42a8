import type { Cancel, Clock, Randomness } from "../../shared/ports/platform.ts";
import type { Fingerprinter } from "../../shared/revocation/fingerprint.ts";
import type { PackedAdditions } from "../../shared/revocation/packed-additions.ts";
import { createPruningClock } from "../../shared/revocation/pruning-clock.ts";
import { generationSeconds, tokenBucketSeconds } from "../../shared/revocation/retention.ts";
import { longestTokenLifetimeSeconds } from "../tokens/longest-lifetime.ts";
import { CutOffs } from "./cut-offs.ts";
import { enforcedRecords } from "./enforced-records.ts";
import { ExpiryBuckets } from "./expiry-buckets.ts";
import { createFingerprintHash, hashKeyBytes } from "./fingerprint-hash.ts";
import {
  createFingerprintWords,
  type FingerprintWords,
  readFingerprint,
  readUuid,
} from "./fingerprint-words.ts";
import { lackingRecords } from "./lacking-records.ts";
import { checkRecords, firstExpiryIn, readCutOffs, readTokens } from "./packed-records.ts";

export type RevocationCode = "token-revoked" | "user-deactivated";

/** What of a token decides whether it is revoked. Times are NumericDates, seconds. */
export interface CheckedClaims {
  readonly iss: string;
  readonly sub: string;
  readonly jti: string;
  readonly exp: number;
  readonly iat: number;
  /** Counts in tokens of our own only; those of other issuers are cut off by `iat`. */
  readonly epoch?: number;
}

/** What the tables know a token's subject and the token by. */
export interface TokenNames {
  readonly subject: FingerprintWords;
  readonly token: FingerprintWords;
}

/** The revocations that this instance enforces. Only time takes one away. */
export interface Blacklist {
  /** No I/O, no scan: the strictest rule that hits the token; null when none does. `names` spares reading them. */
  isRevoked(claims: CheckedClaims, names?: TokenNames): RevocationCode | null;
  /** Of a token that will be asked for more than once. */
  namesOf(claims: CheckedClaims): TokenNames;
  /**
   * Merges. Throws a `RangeError`, and merges nothing, when a part is not a whole number of records. `bucketRecords` is
   * a hint of how many tokens are to come that expire in the minute of the first one.
   */
  apply(additions: PackedAdditions, bucketRecords?: number): void;
  /** Which of them are not enforced here for as long as they live; what has expired is left out. */
  lacks(additions: PackedAdditions): PackedAdditions;
  /** What is enforced, in chunks, for `digestsOf`: whatever changes between two chunks may be in it or not. */
  records(): Iterable<PackedAdditions>;
  /** Drops what has expired; how many entries went. */
  prune(): number;
  readonly entries: number;
  /** What the tables take. */
  readonly bytes: number;
  /** Called after each merge, with what was merged. */
  onApplied(listener: (additions: PackedAdditions) => void): Cancel;
}

export interface BlacklistDeps {
  readonly clock: Clock;
  readonly randomness: Pick<Randomness, "bytes">;
  readonly fingerprint: Fingerprinter;
  readonly ownIssuer: string;
  /** Of the tokens that are checked here: a hint. */
  readonly tokenLifetimeSeconds?: number;
  /** How long the wall clock must have been ahead before pruning follows it; a longer time only keeps longer. */
  readonly longestLifetimeMs?: () => number;
}

export function createBlacklist(deps: BlacklistDeps): Blacklist {
  const { clock, fingerprint, ownIssuer, tokenLifetimeSeconds = generationSeconds } = deps;
  const longestLifetimeMs = deps.longestLifetimeMs ?? (() => longestTokenLifetimeSeconds * 1000);
  const pruningClock = createPruningClock(clock, longestLifetimeMs);
  const hashOf = createFingerprintHash(deps.randomness.bytes(hashKeyBytes));
  const tokens = new ExpiryBuckets(hashOf, tokenBucketSeconds);
  const unrecorded = new ExpiryBuckets(hashOf, generationSeconds);
  const cutOffs = new CutOffs(hashOf, tokenLifetimeSeconds);
  const listeners = new Set<(additions: PackedAdditions) => void>();
  const words = createFingerprintWords();

  function wordsOf(issuer: string, name: string): FingerprintWords {
    if (issuer !== ownIssuer || !readUuid(name, words)) readFingerprint(fingerprint(issuer, name), words);
    return words;
  }

  function makeRoom(additions: PackedAdditions, records: number): void {
    const exp = firstExpiryIn(additions.tokens);
    if (exp !== null) tokens.tableFor(exp).reserve(records);
  }

  function isCutOff({ iss, sub, iat, epoch }: CheckedClaims, names: TokenNames | undefined): boolean {
    if (cutOffs.isEmpty) return false;
    const subject = names?.subject ?? wordsOf(iss, sub);
    return iss === ownIssuer ? cutOffs.cutsEpoch(subject, epoch ?? 0) : cutOffs.cutsIssuedAt(subject, iat);
  }

  return {
    isRevoked(claims, names) {
      if (isCutOff(claims, names)) return "user-deactivated";
      const token = names?.token ?? wordsOf(claims.iss, claims.jti);
      if (tokens.has(token, claims.exp)) return "token-revoked";
      return !unrecorded.isEmpty && unrecorded.hasAnywhere(token) ? "token-revoked" : null;
    },
    namesOf: ({ iss, sub, jti }) => ({
      subject: wordsOf(iss, sub).slice(),
      token: wordsOf(iss, jti).slice(),
    }),
    apply(additions, bucketRecords = 0) {
      checkRecords(additions);
      if (bucketRecords > 0) makeRoom(additions, bucketRecords);
      readTokens(additions.tokens, words, (exp) => tokens.tableFor(exp).add(words));
      readTokens(additions.unrecordedTokens, words, (until) => unrecorded.tableFor(until).add(words));
      readCutOffs(additions.cutOffs, words, (record) => cutOffs.add(words, record));
      for (const listener of listeners) listener(additions);
    },
    lacks(additions) {
      checkRecords(additions);
      return lackingRecords({ tokens, unrecorded, cutOffs, words }, additions, pruningClock.nowMs());
    },
    records: () => enforcedRecords({ tokens, unrecorded, cutOffs: cutOffs.generations }),
    prune() {
      const nowMs = pruningClock.nowMs();
      return tokens.prune(nowMs) + unrecorded.prune(nowMs) + cutOffs.prune(nowMs);
    },
    get entries() {
      return tokens.entries + unrecorded.entries + cutOffs.entries;
    },
    get bytes() {
      return tokens.bytes + unrecorded.bytes + cutOffs.generations.bytes;
    },
    onApplied(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
