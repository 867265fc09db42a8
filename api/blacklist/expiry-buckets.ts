import { bucketDiesAtMs } from "../../shared/revocation/retention.ts";
import type { FingerprintHash } from "./fingerprint-hash.ts";
import { FingerprintTable } from "./fingerprint-table.ts";
import type { FingerprintWords } from "./fingerprint-words.ts";

/**
 * Fingerprints by the time of their expiry: a table for each span of `widthSeconds`. Pruning drops a table as a whole
 * and looks into none.
 */
export class ExpiryBuckets {
  readonly #tables = new Map<number, FingerprintTable>();
  readonly #hashOf: FingerprintHash;
  readonly #widthSeconds: number;
  readonly #columns: number;

  constructor(hashOf: FingerprintHash, widthSeconds: number, columns = 0) {
    this.#hashOf = hashOf;
    this.#widthSeconds = widthSeconds;
    this.#columns = columns;
  }

  get entries(): number {
    let entries = 0;
    for (const table of this.#tables.values()) entries += table.size;
    return entries;
  }

  get bytes(): number {
    let bytes = 0;
    for (const table of this.#tables.values()) bytes += table.bytes;
    return bytes;
  }

  get isEmpty(): boolean {
    return this.#tables.size === 0;
  }

  /** The table that holds what expires at that second; made when it is missing. */
  tableFor(expirySeconds: number): FingerprintTable {
    const bucket = this.#bucketOf(expirySeconds);
    let table = this.#tables.get(bucket);
    if (table === undefined) {
      table = new FingerprintTable(this.#hashOf, this.#columns);
      this.#tables.set(bucket, table);
    }
    return table;
  }

  has(words: FingerprintWords, expirySeconds: number): boolean {
    return this.#tables.get(this.#bucketOf(expirySeconds))?.has(words) ?? false;
  }

  hasAnywhere(words: FingerprintWords): boolean {
    const hash = this.#hashOf(words);
    for (const table of this.#tables.values()) if (table.has(words, hash)) return true;
    return false;
  }

  /** The greatest number beside it in any of the tables; 0 for what is in none. */
  greatest(words: FingerprintWords, column: number): number {
    const hash = this.#hashOf(words);
    let greatest = 0;
    for (const table of this.#tables.values()) {
      const value = table.value(words, column, hash);
      if (value > greatest) greatest = value;
    }
    return greatest;
  }

  /** Those that hold what expires in the same span or later. */
  *tablesFrom(expirySeconds: number): Generator<FingerprintTable> {
    const first = this.#bucketOf(expirySeconds);
    for (const [bucket, table] of this.#tables) if (bucket >= first) yield table;
  }

  /** Whether one of those has it. */
  hasFrom(words: FingerprintWords, expirySeconds: number): boolean {
    for (const table of this.tablesFrom(expirySeconds)) if (table.has(words)) return true;
    return false;
  }

  /** Each table with the last second of its span. */
  *byExpiry(): Generator<readonly [seconds: number, table: FingerprintTable]> {
    for (const [bucket, table] of this.#tables) yield [(bucket + 1) * this.#widthSeconds - 1, table];
  }

  /** Whether `prune` would drop it. */
  isDead(expirySeconds: number, nowMs: number): boolean {
    return bucketDiesAtMs(this.#bucketOf(expirySeconds), this.#widthSeconds) <= nowMs;
  }

  /** Drops what had expired at `nowMs`, the clock error allowed included; how many entries went. */
  prune(nowMs: number): number {
    let dropped = 0;
    for (const [bucket, table] of this.#tables) {
      if (bucketDiesAtMs(bucket, this.#widthSeconds) > nowMs) continue;
      this.#tables.delete(bucket);
      dropped += table.size;
    }
    return dropped;
  }

  #bucketOf(expirySeconds: number): number {
    return Math.floor(expirySeconds / this.#widthSeconds);
  }
}
