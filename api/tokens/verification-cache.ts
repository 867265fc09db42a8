export interface VerificationCacheOptions {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

interface Entry<T> {
  readonly value: T;
  readonly bytes: number;
}

/** What an entry takes beside its token: the parsed claims, its names, its place in the map. */
const bytesBesideToken = 1_024;

/**
 * Tokens that were verified, by the whole token: a shortened key could be met by another one. Bounded by two
 * generations: what is new or asked for is in the young one; when that is half of what is allowed, it becomes the old
 * one, and what nobody has asked for since then goes. No sweeps, no list to keep in order.
 */
export class VerificationCache<T> {
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  #young = new Map<string, Entry<T>>();
  #old = new Map<string, Entry<T>>();
  #youngBytes = 0;
  #oldBytes = 0;

  constructor({ maxEntries, maxBytes }: VerificationCacheOptions) {
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxBytes;
  }

  get entries(): number {
    return this.#young.size + this.#old.size;
  }

  get bytes(): number {
    return this.#youngBytes + this.#oldBytes;
  }

  get(token: string): T | undefined {
    const young = this.#young.get(token);
    if (young !== undefined) return young.value;
    const old = this.#old.get(token);
    if (old === undefined) return undefined;
    this.#old.delete(token);
    this.#oldBytes -= old.bytes;
    this.#keep(token, old);
    return old.value;
  }

  put(token: string, value: T): void {
    this.delete(token);
    this.#keep(token, { value, bytes: token.length + bytesBesideToken });
  }

  delete(token: string): void {
    this.#youngBytes -= this.#young.get(token)?.bytes ?? 0;
    this.#oldBytes -= this.#old.get(token)?.bytes ?? 0;
    this.#young.delete(token);
    this.#old.delete(token);
  }

  clear(): void {
    this.#young = new Map();
    this.#old = new Map();
    this.#youngBytes = 0;
    this.#oldBytes = 0;
  }

  #keep(token: string, entry: Entry<T>): void {
    const isFull =
      this.#young.size + 1 > this.#maxEntries / 2 || this.#youngBytes + entry.bytes > this.#maxBytes / 2;
    if (isFull) {
      this.#old = this.#young;
      this.#oldBytes = this.#youngBytes;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    if (entry.bytes > this.#maxBytes / 2 || this.#maxEntries < 2) return;
    this.#young.set(token, entry);
    this.#youngBytes += entry.bytes;
  }
}
