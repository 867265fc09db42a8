import { generationSeconds } from "../../shared/revocation/retention.ts";
import { ExpiryBuckets } from "./expiry-buckets.ts";
import type { FingerprintHash } from "./fingerprint-hash.ts";
import type { FingerprintWords } from "./fingerprint-words.ts";
import type { CutOffRecord } from "./packed-records.ts";

const epochColumn = 0;
const notBeforeColumn = 1;
/** Every check asks each generation: where tokens live for long they are wider than the store's. */
const generationsInALifetime = 4;

/**
 * Cut-offs by subject, in generations by `until`. One of a subject may stand in several generations: whichever is the
 * strictest counts, for as long as it lives.
 */
export class CutOffs {
  readonly #generations: ExpiryBuckets;

  constructor(hashOf: FingerprintHash, longestLifetimeSeconds: number) {
    const widths = Math.ceil(longestLifetimeSeconds / generationsInALifetime / generationSeconds);
    this.#generations = new ExpiryBuckets(hashOf, Math.max(1, widths) * generationSeconds, 2);
  }

  /** For reading what is in it. */
  get generations(): ExpiryBuckets {
    return this.#generations;
  }

  get entries(): number {
    return this.#generations.entries;
  }

  get isEmpty(): boolean {
    return this.#generations.isEmpty;
  }

  add(subject: FingerprintWords, { epoch, notBefore, until }: Readonly<CutOffRecord>): void {
    this.#generations.tableFor(until).raise(subject, [epoch, notBefore]);
  }

  /** Whether a token that carries `epoch` is cut off. */
  cutsEpoch(subject: FingerprintWords, epoch: number): boolean {
    return epoch < this.#generations.greatest(subject, epochColumn);
  }

  /** Whether a token without an epoch that was issued at `iat` is cut off. */
  cutsIssuedAt(subject: FingerprintWords, iat: number): boolean {
    const notBefore = this.#generations.greatest(subject, notBeforeColumn);
    return notBefore > 0 && iat <= notBefore;
  }

  /** Whether the subject's tokens are cut off as strictly for as long as the record lives. */
  covers(subject: FingerprintWords, { epoch, notBefore, until }: Readonly<CutOffRecord>): boolean {
    const generations = [...this.#generations.tablesFrom(until)];
    const isCovered = (column: number, bound: number) =>
      bound === 0 || generations.some((generation) => generation.value(subject, column) >= bound);
    return isCovered(epochColumn, epoch) && isCovered(notBeforeColumn, notBefore);
  }

  prune(nowMs: number): number {
    return this.#generations.prune(nowMs);
  }
}
