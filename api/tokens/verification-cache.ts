export interface VerificationCacheOptions {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

interface Entry<T> {
  readonly token: string;
  readonly value: T;
  readonly bytes: number;
}

/** What an entry takes beside its token: the parsed claims, its names, its place in the map. */
const bytesBesideToken = 1_024;

/** Of the signature, nine bytes: to hash a text takes the longer the more it has. */
const endOf = (token: string): string => token.slice(-12);

/**
 * Tokens that were verified, found by their end and compared as a whole: only the very same token is known. Bounded by
 * two generations: what is new or asked for is in the young one; when that is half of what is allowed, it becomes the old
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
    const end = endOf(token);
    const young = this.#young.get(end);
    if (young?.token === token) return young.value;
    const old = this.#old.get(end);
    if (old?.token !== token) return undefined;
    this.#old.delete(end);
    this.#oldBytes -= old.bytes;
    this.#keep(end, old);
    return old.value;
  }

  /** Takes the place of one that ends alike. */
  put(token: string, value: T): void {
    const end = endOf(token);
    this.#youngBytes -= this.#young.get(end)?.bytes ?? 0;
    this.#oldBytes -= this.#old.get(end)?.bytes ?? 0;
    this.#young.delete(end);
    this.#old.delete(end);
    this.#keep(end, { token, value, bytes: token.length + bytesBesideToken });
  }

  clear(): void {
    this.#young = new Map();
    this.#old = new Map();
    this.#youngBytes = 0;
    this.#oldBytes = 0;
  }

  /** None under that end is held. */
  #keep(end: string, entry: Entry<T>): void {
    if (entry.bytes > this.#maxBytes / 2 || this.#maxEntries < 2) return;
    const isFull =
      this.#young.size + 1 > this.#maxEntries / 2 || this.#youngBytes + entry.bytes > this.#maxBytes / 2;
    if (isFull) {
      this.#old = this.#young;
      this.#oldBytes = this.#youngBytes;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    this.#youngBytes += entry.bytes;
    this.#young.set(end, entry);
  }
}
