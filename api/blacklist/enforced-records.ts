import {
  cutOffRecordBytes,
  noAdditions,
  type PackedAdditions,
  tokenRecordBytes,
} from "../../shared/revocation/packed-additions.ts";
import type { ExpiryBuckets } from "./expiry-buckets.ts";
import type { FingerprintTable } from "./fingerprint-table.ts";

const recordsInChunk = 4_096;

/**
 * What the tables hold, as records again, in chunks; of an expiry only the beginning of its bucket is known. Tables
 * that change between two chunks may give a record twice or not at all.
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
    for (let from = 0; from < table.capacity; from += recordsInChunk) {
      const bytes = recordsIn(table, { from, recordBytes, seconds });
      if (bytes.length > 0) yield bytes;
    }
  }
}

function recordsIn(
  table: FingerprintTable,
  { from, recordBytes, seconds }: { from: number; recordBytes: number; seconds: number },
): Uint8Array {
  const bytes = Buffer.alloc(recordsInChunk * recordBytes);
  let at = 0;
  for (let slot = from; slot < Math.min(from + recordsInChunk, table.capacity); slot += 1) {
    const words = table.wordsAt(slot);
    if (words === null) continue;
    for (const [word, value] of words.entries()) bytes.writeUInt32BE(value, at + word * 4);
    let end = at + 16;
    for (let column = 0; end < at + recordBytes - 4; column += 1, end += 8) {
      bytes.writeBigUInt64BE(BigInt(table.value(slot, column)), end);
    }
    bytes.writeUInt32BE(seconds, end);
    at += recordBytes;
  }
  return bytes.subarray(0, at);
}
