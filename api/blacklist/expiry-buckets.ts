import { bucketDiesAtMs } from "../../shared/revocation/retention.ts";
import { FingerprintTable } from "./fingerprint-table.ts";
import type { FingerprintWords } from "./fingerprint-words.ts";

/**
 * Fingerprints by the time of their expiry: a table for each span of `widthSeconds`. Pruning drops a table as a whole
 * and looks into none.
 */
export class ExpiryBuckets {
  readonly #tables = new Map<number, FingerprintTable>();
  readonly #widthSeconds: number;
  readonly #columns: number;

  constructor(widthSeconds: number, columns = 0) {
    this.#widthSeconds = widthSeconds;
    this.#columns = columns;
  }

  get entries(): number {
    let entries = 0;
    for (const table of this.#tables.values()) entries += table.size;
    return entries;
  }

  get isEmpty(): boolean {
    return this.#tables.size === 0;
  }

  /** The table that holds what expires at that second; made when it is missing. */
  tableFor(expirySeconds: number): FingerprintTable {
    const bucket = this.#bucketOf(expirySeconds);
    let table = this.#tables.get(bucket);
    if (table === undefined) {
      table = new FingerprintTable(this.#columns);
      this.#tables.set(bucket, table);
    }
    return table;
  }

  has(words: FingerprintWords, expirySeconds: number): boolean {
    return this.#tables.get(this.#bucketOf(expirySeconds))?.has(words) ?? false;
  }

  hasAnywhere(words: FingerprintWords): boolean {
    for (const table of this.#tables.values()) if (table.has(words)) return true;
    return false;
  }

  tables(): Iterable<FingerprintTable> {
    return this.#tables.values();
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
