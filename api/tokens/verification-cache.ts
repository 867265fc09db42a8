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

/** Of the signature. */
const indexedCharacters = 12;

/** A small integer: to find a text takes twice as long as to find a number, and to hash all of a token even longer. */
function indexOf(token: string): number {
  let index = 0;
  for (let at = Math.max(0, token.length - indexedCharacters); at < token.length; at += 1)
    index = (Math.imul(index, 31) + token.charCodeAt(at)) | 0;
  return index & 0x3fff_ffff;
}

/**
 * Tokens that were verified, found by their end and compared as a whole: only the very same token is known. Bounded by
 * two generations: what is new or asked for is in the young one; when that is half of what is allowed, it becomes the old
 * one, and what nobody has asked for since then goes. No sweeps, no list to keep in order.
 */
export class VerificationCache<T> {
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  #young = new Map<number, Entry<T>>();
  #old = new Map<number, Entry<T>>();
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
    const index = indexOf(token);
    const young = this.#young.get(index);
    if (young?.token === token) return young.value;
    const old = this.#old.get(index);
    if (old?.token !== token) return undefined;
    this.#old.delete(index);
    this.#oldBytes -= old.bytes;
    this.#keep(old);
    return old.value;
  }

  /** Takes the place of one that ends alike. */
  put(token: string, value: T): void {
    const index = indexOf(token);
    this.#youngBytes -= this.#young.get(index)?.bytes ?? 0;
    this.#oldBytes -= this.#old.get(index)?.bytes ?? 0;
    this.#young.delete(index);
    this.#old.delete(index);
    this.#keep({ token, value, bytes: token.length + bytesBesideToken });
  }

  clear(): void {
    this.#young = new Map();
    this.#old = new Map();
    this.#youngBytes = 0;
    this.#oldBytes = 0;
  }

  #keep(entry: Entry<T>): void {
    const isFull =
      this.#young.size + 1 > this.#maxEntries / 2 || this.#youngBytes + entry.bytes > this.#maxBytes / 2;
    if (isFull) {
      this.#old = this.#young;
      this.#oldBytes = this.#youngBytes;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    if (entry.bytes > this.#maxBytes / 2 || this.#maxEntries < 2) return;
    const index = indexOf(entry.token);
    this.#youngBytes += entry.bytes - (this.#young.get(index)?.bytes ?? 0);
    this.#young.set(index, entry);
  }
}
