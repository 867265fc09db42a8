import { generationSeconds } from "../../shared/revocation/retention.ts";
import { ExpiryBuckets } from "./expiry-buckets.ts";
import type { FingerprintWords } from "./fingerprint-words.ts";
import type { CutOffRecord } from "./packed-records.ts";

const epochColumn = 0;
const notBeforeColumn = 1;

/**
 * Cut-offs by subject, in generations by `until`. One of a subject may stand in several generations: whichever is the
 * strictest counts, for as long as it lives.
 */
export class CutOffs {
  readonly #generations = new ExpiryBuckets(generationSeconds, 2);

  get entries(): number {
    return this.#generations.entries;
  }

  add(subject: FingerprintWords, { epoch, notBefore, until }: Readonly<CutOffRecord>): void {
    const generation = this.#generations.tableFor(until);
    const slot = generation.add(subject);
    generation.raise(slot, epochColumn, epoch);
    generation.raise(slot, notBeforeColumn, notBefore);
  }

  /** Whether a token that carries `epoch` is cut off. */
  cutsEpoch(subject: FingerprintWords, epoch: number): boolean {
    return epoch < this.#strictest(subject, epochColumn);
  }

  /** Whether a token without an epoch that was issued at `iat` is cut off. */
  cutsIssuedAt(subject: FingerprintWords, iat: number): boolean {
    const notBefore = this.#strictest(subject, notBeforeColumn);
    return notBefore > 0 && iat <= notBefore;
  }

  prune(nowMs: number): number {
    return this.#generations.prune(nowMs);
  }

  #strictest(subject: FingerprintWords, column: number): number {
    let strictest = 0;
    for (const generation of this.#generations.tables()) {
      const slot = generation.find(subject);
      if (slot >= 0) strictest = Math.max(strictest, generation.value(slot, column));
    }
    return strictest;
  }
}
