import type { FingerprintHash } from "./fingerprint-hash.ts";
import { FingerprintSegment } from "./fingerprint-segment.ts";
import type { FingerprintWords } from "./fingerprint-words.ts";

/** More are split in two: moving so many takes a fraction of a millisecond, so no addition stalls. */
const fullestSegment = 8_192;
const presizedSegment = 6_000;

/**
 * A set of fingerprints, each with `columns` numbers. The first bits of a key's hash choose one of its segments; one
 * that is full is split by one more bit (extendible hashing: R. Fagin et al., 1979). Nothing is ever evicted.
 */
export class FingerprintTable {
  readonly #hashOf: FingerprintHash;
  readonly #columns: number;
  /** How many first bits of a hash are its place in the directory. */
  #depth = 0;
  /** One that is less deep than the directory stands in several places. */
  #directory: FingerprintSegment[];

  constructor(hashOf: FingerprintHash, columns = 0) {
    this.#hashOf = hashOf;
    this.#columns = columns;
    this.#directory = [new FingerprintSegment({ hashOf, columns, depth: 0 })];
  }

  get size(): number {
    return this.segments().reduce((size, segment) => size + segment.size, 0);
  }

  get bytes(): number {
    return this.segments().reduce((bytes, segment) => bytes + segment.bytes, 0);
  }

  /** Each once. */
  segments(): FingerprintSegment[] {
    return this.#directory.filter((segment, at) => segment !== this.#directory[at - 1]);
  }

  has(words: FingerprintWords): boolean {
    const hash = this.#hashOf(words);
    return this.#segmentOf(hash).find(words, hash) >= 0;
  }

  add(words: FingerprintWords): void {
    const hash = this.#hashOf(words);
    const segment = this.#segmentOf(hash);
    segment.add(words, hash);
    if (segment.size > fullestSegment) this.#split(segment, hash);
  }

  /** 0 for what is not there. */
  value(words: FingerprintWords, column: number): number {
    const hash = this.#hashOf(words);
    const segment = this.#segmentOf(hash);
    const slot = segment.find(words, hash);
    return slot < 0 ? 0 : segment.value(slot, column);
  }

  /** Adds what is not there. */
  raise(words: FingerprintWords, values: readonly number[]): void {
    this.add(words);
    const hash = this.#hashOf(words);
    const segment = this.#segmentOf(hash);
    const slot = segment.find(words, hash);
    for (const [column, value] of values.entries()) segment.raise(slot, column, value);
  }

  /** A hint that so many keys are to come; only an empty table takes it. No memory is taken before they do. */
  reserve(keys: number): void {
    if (this.#depth > 0 || this.#directory.some(({ size }) => size > 0)) return;
    this.#depth = Math.max(0, Math.ceil(Math.log2(keys / presizedSegment)));
    const options = {
      hashOf: this.#hashOf,
      columns: this.#columns,
      depth: this.#depth,
      room: Math.ceil(keys / 2 ** this.#depth),
    };
    this.#directory = Array.from({ length: 2 ** this.#depth }, () => new FingerprintSegment(options));
  }

  #segmentOf(hash: number): FingerprintSegment {
    const segment = this.#directory[placeOf(hash, this.#depth)];
    if (segment === undefined) throw new RangeError("a hash has no place in the directory");
    return segment;
  }

  #split(full: FingerprintSegment, hash: number): void {
    const depth = full.depth + 1;
    const options = { hashOf: this.#hashOf, columns: this.#columns, depth, room: full.size / 2 };
    const halves = [new FingerprintSegment(options), new FingerprintSegment(options)] as const;
    const isSecond = (one: number) => (placeOf(one, depth) & 1) === 1;
    halves[0].takeFrom(full, (one) => !isSecond(one));
    halves[1].takeFrom(full, isSecond);
    if (full.depth === this.#depth) {
      this.#directory = this.#directory.flatMap((segment) => [segment, segment]);
      this.#depth += 1;
    }
    const places = 2 ** (this.#depth - full.depth);
    const first = placeOf(hash, full.depth) * places;
    this.#directory.fill(halves[0], first, first + places / 2);
    this.#directory.fill(halves[1], first + places / 2, first + places);
  }
}

/** Its first `depth` bits as a number. */
const placeOf = (hash: number, depth: number) => (hash >>> 1) >>> (31 - depth);
