import type { FingerprintHash } from "./fingerprint-hash.ts";
import { FingerprintSlots, slotsInGroup } from "./fingerprint-slots.ts";
import { createFingerprintWords, type FingerprintWords } from "./fingerprint-words.ts";

const fewestGroups = 4;
/** Above it searches grow long; below it memory lies idle. */
const fullestShare = 0.86;
/** The key that fills a table up decides by chance, so that tables that are filled evenly do not grow all at once. */
const growth = { least: 1.2, most: 1.4 } as const;
/**
 * All have moved before the next growth: with c slots a table grows at 0.86 c keys, and the next time after 0.2 * 0.86 c
 * = 0.172 c more at the earliest, so 6 slots at each would do. With 32 the former piece is given back after 0.03 c: two
 * pieces stand for a seventh of the time and not for two thirds, and a key takes 26 bytes on average and not 35.
 */
const slotsMovedAtOnce = 32;

/**
 * A set of fingerprints, each with `columns` numbers. Grows by taking a larger piece of memory and moving a few keys
 * with each addition, so that none of them stalls; until all have moved a search may look in both. Nothing is ever
 * evicted.
 */
export class FingerprintTable {
  readonly #hashOf: FingerprintHash;
  readonly #columns: number;
  readonly #scratch = createFingerprintWords();
  #size = 0;
  #slots: FingerprintSlots;
  /** What is being moved from, up to `#moved`. */
  #former: FingerprintSlots | null = null;
  #moved = 0;

  constructor(hashOf: FingerprintHash, columns = 0) {
    this.#hashOf = hashOf;
    this.#columns = columns;
    this.#slots = new FingerprintSlots(fewestGroups, columns);
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#slots.bytes + (this.#former?.bytes ?? 0);
  }

  /** What holds the keys; one that is being moved may stand in two of them. */
  get pieces(): readonly FingerprintSlots[] {
    return this.#former === null ? [this.#slots] : [this.#slots, this.#former];
  }

  /** `hash`, of `words`, for whoever asks several tables. */
  has(words: FingerprintWords, hash = this.#hashOf(words)): boolean {
    return (
      this.#slots.find(words, hash) >= 0 || (this.#former !== null && this.#former.find(words, hash) >= 0)
    );
  }

  /** 0 for what is not there. */
  value(words: FingerprintWords, column: number, hash = this.#hashOf(words)): number {
    const slot = this.#slots.find(words, hash);
    if (slot >= 0) return this.#slots.value(slot, column);
    const former = this.#former?.find(words, hash) ?? -1;
    return former < 0 ? 0 : (this.#former?.value(former, column) ?? 0);
  }

  add(words: FingerprintWords): void {
    this.#slotOf(words);
    this.#moveSome();
  }

  /** Adds what is not there. */
  raise(words: FingerprintWords, values: readonly number[]): void {
    const slot = this.#slotOf(words);
    for (const [column, value] of values.entries()) this.#slots.raise(slot, column, value);
    this.#moveSome();
  }

  /** A hint that so many keys are to come; only an empty table takes it. */
  reserve(keys: number): void {
    if (this.#size === 0) this.#slots = new FingerprintSlots(groupsFor(keys), this.#columns);
  }

  /** Where the key is now; moved there, or added, if it was not. */
  #slotOf(words: FingerprintWords): number {
    const hash = this.#hashOf(words);
    const slot = this.#slots.find(words, hash);
    if (slot >= 0) return slot;
    const former = this.#former?.find(words, hash) ?? -1;
    if (this.#former !== null && former >= 0) return this.#move(this.#former, former, words, hash);
    this.#size += 1;
    if (this.#size > this.#slots.capacity * fullestShare) this.#grow((hash >>> 0) / 2 ** 32);
    return this.#slots.insert(words, hash);
  }

  #grow(chance: number): void {
    const factor = growth.least + (growth.most - growth.least) * chance;
    this.#former = this.#slots;
    this.#moved = 0;
    this.#slots = new FingerprintSlots(groupsFor(this.#size * factor), this.#columns);
  }

  #moveSome(): void {
    const former = this.#former;
    if (former === null) return;
    const words = this.#scratch;
    const end = Math.min(this.#moved + slotsMovedAtOnce, former.capacity);
    for (let slot = this.#moved; slot < end; slot += 1) {
      if (!former.read(slot, words)) continue;
      const hash = this.#hashOf(words);
      if (this.#slots.find(words, hash) < 0) this.#move(former, slot, words, hash);
    }
    this.#moved = end;
    if (end === former.capacity) this.#former = null;
  }

  #move(former: FingerprintSlots, from: number, words: FingerprintWords, hash: number): number {
    const to = this.#slots.insert(words, hash);
    for (let column = 0; column < this.#columns; column += 1)
      this.#slots.raise(to, column, former.value(from, column));
    return to;
  }
}

function groupsFor(keys: number): number {
  return Math.max(fewestGroups, Math.ceil(keys / fullestShare / slotsInGroup));
}
