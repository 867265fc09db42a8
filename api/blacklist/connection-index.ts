import type { Fingerprint } from "../../shared/revocation/fingerprint.ts";
import type { PackedAdditions } from "../../shared/revocation/packed-additions.ts";
import { createFingerprintWords, type FingerprintWords, readFingerprint } from "./fingerprint-words.ts";
import { readCutOffs, readTokens } from "./packed-records.ts";

/**
 * Finds what additions may hit by the fingerprints in them, folded to one number: a look-up per addition, whatever the
 * number of what is kept. Fingerprints that fold to the same number are all found.
 */
export class ConnectionIndex<T> {
  readonly #kept = new Map<number, Set<T>>();
  readonly #words = createFingerprintWords();

  add(name: Fingerprint, value: T): void {
    const number = this.#numberOf(name);
    const values = this.#kept.get(number);
    if (values === undefined) this.#kept.set(number, new Set([value]));
    else values.add(value);
  }

  remove(name: Fingerprint, value: T): void {
    const number = this.#numberOf(name);
    const values = this.#kept.get(number);
    values?.delete(value);
    if (values?.size === 0) this.#kept.delete(number);
  }

  /** How many numbers it knows: none when nothing is kept. */
  get size(): number {
    return this.#kept.size;
  }

  /** `visit` may remove what it is given. */
  find({ tokens, unrecordedTokens, cutOffs }: PackedAdditions, visit: (value: T) => void): void {
    const words = this.#words;
    const found: T[] = [];
    const collect = () => {
      const values = this.#kept.get(fold(words));
      if (values !== undefined) found.push(...values);
    };
    readTokens(tokens, words, collect);
    readTokens(unrecordedTokens, words, collect);
    readCutOffs(cutOffs, words, collect);
    for (const value of found) visit(value);
  }

  #numberOf(name: Fingerprint): number {
    readFingerprint(name, this.#words);
    return fold(this.#words);
  }
}

const fold = (words: FingerprintWords) =>
  (words[0] ?? 0) ^ (words[1] ?? 0) ^ (words[2] ?? 0) ^ (words[3] ?? 0);
