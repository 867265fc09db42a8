import type { FingerprintWords } from "./fingerprint-words.ts";

export const slotsInGroup = 4;
const free = 0;
const oneInEach = 0x01010101;
const topOfEach = 0x80808080 | 0;
const noValues = new Float64Array(0);

/**
 * Keys in a fixed number of slots: open addressing over typed arrays, so that millions of keys are nothing to the
 * garbage collector. A byte of hash, the tag, stands in front of each key, and four tags are compared at once: most
 * misses read no key. Nothing is ever taken out, so a group with a free slot ends a search, and a slot stays good.
 */
export class FingerprintSlots {
  readonly #columns: number;
  readonly #tags: Uint8Array;
  readonly #groups: Uint32Array;
  readonly #keys: Uint32Array;
  readonly #values: Float64Array;

  /** `columns` numbers stand beside each key. */
  constructor(groups: number, columns: number) {
    this.#columns = columns;
    this.#groups = new Uint32Array(groups);
    this.#tags = new Uint8Array(this.#groups.buffer);
    const slots = groups * slotsInGroup;
    this.#keys = new Uint32Array(uncleared(slots * 16));
    this.#values = columns === 0 ? noValues : new Float64Array(uncleared(slots * columns * 8));
  }

  /** How many slots there are; from 0. */
  get capacity(): number {
    return this.#tags.length;
  }

  get bytes(): number {
    return this.#tags.byteLength + this.#keys.byteLength + this.#values.byteLength;
  }

  /** Negative where the key is not there. */
  find(words: FingerprintWords, hash: number): number {
    const groups = this.#groups;
    const tag = tagOf(hash);
    const tagInEach = Math.imul(tag, oneInEach);
    for (let group = this.#firstGroup(hash); ; group = group + 1 === groups.length ? 0 : group + 1) {
      const tags = groups[group] ?? 0;
      // Not zero where one of the four may be the tag (A. Mycroft's test for a byte of zeros).
      const difference = tags ^ tagInEach;
      if (((difference - oneInEach) & ~difference & topOfEach) !== 0) {
        const slot = this.#findInGroup(group, words, tag);
        if (slot >= 0) return slot;
      }
      if ((tags & topOfEach) !== topOfEach) return -1;
    }
  }

  /** For a key that is not there, where a slot is free: its slot. Its numbers are 0. */
  insert(words: FingerprintWords, hash: number): number {
    const tags = this.#tags;
    let slot = this.#firstGroup(hash) * slotsInGroup;
    while (tags[slot] !== free) slot = slot + 1 === tags.length ? 0 : slot + 1;
    tags[slot] = tagOf(hash);
    const keys = this.#keys;
    const at = slot * 4;
    keys[at] = words[0] ?? 0;
    keys[at + 1] = words[1] ?? 0;
    keys[at + 2] = words[2] ?? 0;
    keys[at + 3] = words[3] ?? 0;
    for (let column = 0; column < this.#columns; column += 1) this.#values[slot * this.#columns + column] = 0;
    return slot;
  }

  /** Puts the key of a slot into `words`; false, and nothing is changed, where it is free. */
  read(slot: number, words: FingerprintWords): boolean {
    if (this.#tags[slot] === free) return false;
    for (let word = 0; word < 4; word += 1) words[word] = this.#keys[slot * 4 + word] ?? 0;
    return true;
  }

  value(slot: number, column: number): number {
    return this.#values[slot * this.#columns + column] ?? 0;
  }

  raise(slot: number, column: number, value: number): void {
    const at = slot * this.#columns + column;
    this.#values[at] = Math.max(this.#values[at] ?? 0, value);
  }

  #firstGroup(hash: number): number {
    return Math.floor(((hash >>> 0) * this.#groups.length) / 2 ** 32);
  }

  #findInGroup(group: number, words: FingerprintWords, tag: number): number {
    const tags = this.#tags;
    const keys = this.#keys;
    for (let slot = group * slotsInGroup; slot < (group + 1) * slotsInGroup; slot += 1) {
      const at = slot * 4;
      if (
        tags[slot] === tag &&
        keys[at] === words[0] &&
        keys[at + 1] === words[1] &&
        keys[at + 2] === words[2] &&
        keys[at + 3] === words[3]
      ) {
        return slot;
      }
    }
    return -1;
  }
}

/** Nothing is read from a slot before it was written: to clear tens of megabytes at once would be a stall. */
const uncleared = (bytes: number) => Buffer.allocUnsafeSlow(bytes).buffer;

/** Never `free`. Of the hash's last bits, which say least about the slot. */
const tagOf = (hash: number) => (hash & 0x7f) | 0x80;
