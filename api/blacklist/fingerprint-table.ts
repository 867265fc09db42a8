import type { FingerprintWords } from "./fingerprint-words.ts";

const smallestCapacity = 16;
const fullestShare = 0.75;
const free = 0;

/**
 * A set of fingerprints, each with `columns` numbers: open addressing over typed arrays, so that millions of them are
 * nothing to the garbage collector. One byte of hash stands in front of each key, so that most misses read no key.
 * Nothing is ever evicted. A slot is good until the next `add`.
 */
export class FingerprintTable {
  readonly #columns: number;
  #keys: Uint32Array;
  #tags: Uint8Array;
  #values: Float64Array;
  #size = 0;

  constructor(columns = 0) {
    this.#columns = columns;
    this.#keys = new Uint32Array(smallestCapacity * 4);
    this.#tags = new Uint8Array(smallestCapacity);
    this.#values = new Float64Array(smallestCapacity * columns);
  }

  get size(): number {
    return this.#size;
  }

  /** How many slots there are; from 0. */
  get capacity(): number {
    return this.#tags.length;
  }

  has(words: FingerprintWords): boolean {
    return this.find(words) >= 0;
  }

  /** Its slot; negative where it is not there. */
  find(words: FingerprintWords): number {
    const slot = this.#probe(words, hashOf(words));
    return this.#tags[slot] === free ? -1 : slot;
  }

  /** Its slot, old or new; a new one's numbers are 0. */
  add(words: FingerprintWords): number {
    const hash = hashOf(words);
    const found = this.#probe(words, hash);
    if (this.#tags[found] !== free) return found;
    if (this.#size + 1 <= this.#tags.length * fullestShare) return this.#occupy(found, words, hash);
    this.#grow();
    return this.#occupy(this.#probe(words, hash), words, hash);
  }

  /** What stands in the slot; null where it is free. */
  wordsAt(slot: number): FingerprintWords | null {
    return this.#tags[slot] === free ? null : this.#keys.subarray(slot * 4, slot * 4 + 4);
  }

  value(slot: number, column: number): number {
    return this.#values[slot * this.#columns + column] ?? 0;
  }

  raise(slot: number, column: number, value: number): void {
    const at = slot * this.#columns + column;
    this.#values[at] = Math.max(this.#values[at] ?? 0, value);
  }

  /** Where it is, or the free slot where it would go. */
  #probe(words: FingerprintWords, hash: number): number {
    const keys = this.#keys;
    const tags = this.#tags;
    const mask = tags.length - 1;
    const tag = tagOf(hash);
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const found = tags[slot];
      if (found === free) return slot;
      const at = slot * 4;
      if (
        found === tag &&
        keys[at] === words[0] &&
        keys[at + 1] === words[1] &&
        keys[at + 2] === words[2] &&
        keys[at + 3] === words[3]
      ) {
        return slot;
      }
    }
  }

  #occupy(slot: number, words: FingerprintWords, hash: number): number {
    this.#tags[slot] = tagOf(hash);
    this.#keys.set(words, slot * 4);
    this.#size += 1;
    return slot;
  }

  #grow(): void {
    const keys = this.#keys;
    const tags = this.#tags;
    const values = this.#values;
    const columns = this.#columns;
    this.#keys = new Uint32Array(keys.length * 2);
    this.#tags = new Uint8Array(tags.length * 2);
    this.#values = new Float64Array(values.length * 2);
    this.#size = 0;
    for (let from = 0; from < tags.length; from += 1) {
      if (tags[from] === free) continue;
      const words = keys.subarray(from * 4, from * 4 + 4);
      const hash = hashOf(words);
      const to = this.#occupy(this.#probe(words, hash), words, hash);
      if (columns > 0) this.#values.set(values.subarray(from * columns, (from + 1) * columns), to * columns);
    }
  }
}

/** Never `free`. */
const tagOf = (hash: number) => (hash >>> 25) + 1;

function hashOf(words: FingerprintWords): number {
  let hash = words[0] ?? 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) ^ (words[1] ?? 0);
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35) ^ (words[2] ?? 0);
  hash = Math.imul(hash ^ (hash >>> 16), 0x27d4eb2f) ^ (words[3] ?? 0);
  hash = Math.imul(hash ^ (hash >>> 15), 0x165667b1);
  return hash ^ (hash >>> 16);
}
