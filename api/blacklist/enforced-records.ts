import {
  cutOffRecordBytes,
  noAdditions,
  type PackedAdditions,
  tokenRecordBytes,
} from "../../shared/revocation/packed-additions.ts";
import type { ExpiryBuckets } from "./expiry-buckets.ts";
import type { FingerprintSlots } from "./fingerprint-slots.ts";
import { createFingerprintWords } from "./fingerprint-words.ts";

const slotsInChunk = 4_096;

/**
 * What the tables hold, as records again, in chunks; of an expiry only the end of its bucket is known. A record may
 * come twice; tables that change between two chunks may leave one out.
 */
export function* enforcedRecords(tables: {
  readonly tokens: ExpiryBuckets;
  readonly unrecorded: ExpiryBuckets;
  readonly cutOffs: ExpiryBuckets;
}): Generator<PackedAdditions> {
  for (const tokens of recordsOf(tables.tokens, tokenRecordBytes)) yield { ...noAdditions, tokens };
  for (const unrecordedTokens of recordsOf(tables.unrecorded, tokenRecordBytes)) {
    yield { ...noAdditions, unrecordedTokens };
  }
  for (const cutOffs of recordsOf(tables.cutOffs, cutOffRecordBytes)) yield { ...noAdditions, cutOffs };
}

function* recordsOf(buckets: ExpiryBuckets, recordBytes: number): Generator<Uint8Array> {
  for (const [seconds, table] of buckets.byExpiry()) {
    for (const slots of table.pieces) {
      for (let from = 0; from < slots.capacity; from += slotsInChunk) {
        const bytes = recordsIn(slots, { from, recordBytes, seconds });
        if (bytes.length > 0) yield bytes;
      }
    }
  }
}

function recordsIn(
  slots: FingerprintSlots,
  { from, recordBytes, seconds }: { from: number; recordBytes: number; seconds: number },
): Uint8Array {
  const bytes = Buffer.alloc(slotsInChunk * recordBytes);
  const words = createFingerprintWords();
  let at = 0;
  for (let slot = from; slot < Math.min(from + slotsInChunk, slots.capacity); slot += 1) {
    if (!slots.read(slot, words)) continue;
    for (const [word, value] of words.entries()) bytes.writeUInt32BE(value, at + word * 4);
    let end = at + 16;
    for (let column = 0; end < at + recordBytes - 4; column += 1, end += 8) {
      bytes.writeBigUInt64BE(BigInt(slots.value(slot, column)), end);
    }
    bytes.writeUInt32BE(seconds, end);
    at += recordBytes;
  }
  return bytes.subarray(0, at);
}
