import {
  cutOffRecordBytes,
  noAdditions,
  type PackedAdditions,
  tokenRecordBytes,
} from "../../shared/revocation/packed-additions.ts";
import type { ExpiryBuckets } from "./expiry-buckets.ts";
import type { FingerprintSegment } from "./fingerprint-segment.ts";
import { createFingerprintWords } from "./fingerprint-words.ts";

/**
 * What the tables hold, as records again, in chunks; of an expiry only the end of its bucket is known. Tables that
 * change between two chunks may give a record twice or not at all.
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
    for (const segment of table.segments()) {
      if (segment.size > 0) yield recordsIn(segment, { recordBytes, seconds });
    }
  }
}

function recordsIn(
  segment: FingerprintSegment,
  { recordBytes, seconds }: { recordBytes: number; seconds: number },
): Uint8Array {
  const bytes = Buffer.alloc(segment.size * recordBytes);
  const words = createFingerprintWords();
  let at = 0;
  for (let slot = 0; slot < segment.capacity; slot += 1) {
    if (!segment.readSlot(slot, words)) continue;
    for (const [word, value] of words.entries()) bytes.writeUInt32BE(value, at + word * 4);
    let end = at + 16;
    for (let column = 0; end < at + recordBytes - 4; column += 1, end += 8) {
      bytes.writeBigUInt64BE(BigInt(segment.value(slot, column)), end);
    }
    bytes.writeUInt32BE(seconds, end);
    at += recordBytes;
  }
  return bytes;
}
