import type { FingerprintWords } from "./fingerprint-words.ts";

/** 32 bits of hash. */
export type FingerprintHash = (words: FingerprintWords) => number;

const bytesOfFingerprint = 16;
const valuesOfByte = 256;
export const hashKeyBytes = bytesOfFingerprint * valuesOfByte * 4;

/**
 * Simple tabulation hashing: the exclusive or of one random word for each byte and its place. With linear probing it
 * needs constant time in expectation for any set of keys that was chosen without knowing the words (M. Pătraşcu,
 * M. Thorup, The Power of Simple Tabulation Hashing, 2012): whoever names tokens cannot aim for long probes.
 *
 * `key` has `hashKeyBytes` random bytes, which are the process's own.
 */
export function createFingerprintHash(key: Uint8Array): FingerprintHash {
  if (key.length !== hashKeyBytes) throw new RangeError(`a hash key has ${hashKeyBytes} bytes`);
  const table = new Uint32Array(key.slice().buffer);

  return function hashOf(words) {
    const a = words[0] ?? 0;
    const b = words[1] ?? 0;
    const c = words[2] ?? 0;
    const d = words[3] ?? 0;
    const ofA =
      at(table, a & 255) ^
      at(table, 256 + ((a >>> 8) & 255)) ^
      at(table, 512 + ((a >>> 16) & 255)) ^
      at(table, 768 + (a >>> 24));
    const ofB =
      at(table, 1024 + (b & 255)) ^
      at(table, 1280 + ((b >>> 8) & 255)) ^
      at(table, 1536 + ((b >>> 16) & 255)) ^
      at(table, 1792 + (b >>> 24));
    const ofC =
      at(table, 2048 + (c & 255)) ^
      at(table, 2304 + ((c >>> 8) & 255)) ^
      at(table, 2560 + ((c >>> 16) & 255)) ^
      at(table, 2816 + (c >>> 24));
    const ofD =
      at(table, 3072 + (d & 255)) ^
      at(table, 3328 + ((d >>> 8) & 255)) ^
      at(table, 3584 + ((d >>> 16) & 255)) ^
      at(table, 3840 + (d >>> 24));
    return ofA ^ ofB ^ ofC ^ ofD;
  };
}

const at = (table: Uint32Array, index: number) => table[index] ?? 0;
