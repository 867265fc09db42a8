import type { FingerprintHash } from "./fingerprint-hash.ts";
import { createFingerprintWords, type FingerprintWords } from "./fingerprint-words.ts";

export interface SegmentOptions {
  readonly hashOf: FingerprintHash;
  /** How many numbers stand beside each key. */
  readonly columns: number;
  /** How many of the hash's first bits all its keys share. */
  readonly depth: number;
  /** How many keys to make room for at once, with the first of them. */
  readonly room?: number;
}

const slotsInGroup = 4;
const fewestGroups = 4;
/** Above it the searches grow long. */
const fullestShare = 0.85;
const growth = 1.3;
/** Keys fall unevenly into the segments of one table: room for so many standard deviations more. */
const deviations = 4;
const free = 0;
const oneInEach = 0x01010101;
const topOfEach = 0x80808080 | 0;

/**
 * A part of a table: open addressing over typed arrays, so that millions of keys are nothing to the garbage collector.
 * A byte of hash, the tag, stands in front of each key, and four tags are compared at once: most misses read no key.
 * Nothing is ever taken out, so a group with a free slot ends a search. A slot is good until the next `add`.
 */
export class FingerprintSegment {
  readonly depth: number;
  readonly #hashOf: FingerprintHash;
  readonly #columns: number;
  readonly #plannedGroups: number;
  #tags = new Uint8Array(0);
  #groups = new Uint32Array(0);
  #keys = new Uint32Array(0);
  #values = new Float64Array(0);
  #size = 0;

  constructor({ hashOf, columns, depth, room = 0 }: SegmentOptions) {
    this.depth = depth;
    this.#hashOf = hashOf;
    this.#columns = columns;
    const slots = (room + deviations * Math.sqrt(room)) / fullestShare;
    this.#plannedGroups = Math.max(fewestGroups, Math.ceil(slots / slotsInGroup));
  }

  get size(): number {
    return this.#size;
  }

  /** How many slots there are; from 0. */
  get capacity(): number {
    return this.#tags.length;
  }

  get bytes(): number {
    return this.#tags.byteLength + this.#keys.byteLength + this.#values.byteLength;
  }

  /** Its slot; negative where it is not there. */
  find(words: FingerprintWords, hash: number): number {
    if (this.#size === 0) return -1;
    const groups = this.#groups;
    const tag = tagOf(hash);
    const tagInEach = Math.imul(tag, oneInEach);
    for (let group = this.#firstGroup(hash); ; group = group + 1 === groups.length ? 0 : group + 1) {
      const tags = groups[group] ?? 0;
      // Non-zero where one of the four bytes may be the tag (A. Mycroft's test for a zero byte).
      const difference = tags ^ tagInEach;
      if (((difference - oneInEach) & ~difference & topOfEach) !== 0) {
        const slot = this.#findInGroup(group, words, tag);
        if (slot >= 0) return slot;
      }
      if ((tags & topOfEach) !== topOfEach) return -1;
    }
  }

  /** Its slot, old or new; a new one's numbers are 0. */
  add(words: FingerprintWords, hash: number): number {
    const found = this.find(words, hash);
    if (found >= 0) return found;
    if (this.#size + 1 > this.#tags.length * fullestShare) this.#grow();
    return this.#occupy(words, hash);
  }

  /** Puts what stands in the slot into `words`; false, and nothing is changed, where it is free. */
  readSlot(slot: number, words: FingerprintWords): boolean {
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

  /** Adds all that `other` holds and `isWanted` chooses by its hash. */
  takeFrom(other: FingerprintSegment, isWanted: (hash: number) => boolean): void {
    const words = createFingerprintWords();
    for (let from = 0; from < other.capacity; from += 1) {
      if (!other.readSlot(from, words)) continue;
      const hash = this.#hashOf(words);
      if (!isWanted(hash)) continue;
      const to = this.add(words, hash);
      for (let column = 0; column < this.#columns; column += 1)
        this.raise(to, column, other.value(from, column));
    }
  }

  /** By the hash's bits behind those that all keys here share. */
  #firstGroup(hash: number): number {
    return Math.floor((((hash << this.depth) >>> 0) * this.#groups.length) / 2 ** 32);
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

  /** There is a free slot, and the key is not there. */
  #occupy(words: FingerprintWords, hash: number): number {
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
    this.#size += 1;
    return slot;
  }

  #grow(): void {
    const tags = this.#tags;
    const keys = this.#keys;
    const values = this.#values;
    const groups = tags.length === 0 ? this.#plannedGroups : Math.ceil((tags.length / slotsInGroup) * growth);
    this.#groups = new Uint32Array(groups);
    this.#tags = new Uint8Array(this.#groups.buffer);
    this.#keys = new Uint32Array(groups * slotsInGroup * 4);
    this.#values = new Float64Array(groups * slotsInGroup * this.#columns);
    this.#size = 0;
    const words = createFingerprintWords();
    for (let from = 0; from < tags.length; from += 1) {
      if (tags[from] === free) continue;
      for (let word = 0; word < 4; word += 1) words[word] = keys[from * 4 + word] ?? 0;
      const to = this.#occupy(words, this.#hashOf(words));
      for (let column = 0; column < this.#columns; column += 1)
        this.#values[to * this.#columns + column] = values[from * this.#columns + column] ?? 0;
    }
  }
}

/** Never `free`: its first bit is set. The hash's last bits, which say least about the slot. */
const tagOf = (hash: number) => (hash & 0x7f) | 0x80;
