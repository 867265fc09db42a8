import { cutOffRecordBytes, tokenRecordBytes } from "../revocation/packed-additions.ts";
import { generationOf, tokenBucketOf } from "../revocation/retention.ts";
import type { Bucket } from "./keys.ts";

/**
 * The records of a packed bucket that are ours: each names a time of that very bucket. Bytes of somebody else's shift
 * all that is appended after them, and what is read out of step names some time or other.
 */
export function ownRecordsIn(bytes: Buffer, bucket: Bucket): Buffer {
  const isOwn = (at: number) => spanOf(bytes.readUInt32BE(at + 16), bucket) === bucket.number;
  const whole = bytes.length - (bytes.length % tokenRecordBytes);
  const own: Buffer[] = [];
  let from = 0;
  for (let at = 0; at < whole; at += tokenRecordBytes) {
    if (isOwn(at)) continue;
    if (at > from) own.push(bytes.subarray(from, at));
    from = at + tokenRecordBytes;
  }
  if (from === 0) return bytes.subarray(0, whole);
  return Buffer.concat([...own, bytes.subarray(from, Math.max(from, whole))]);
}

/** Whether the field of a generation of cut-offs holds one that belongs there. */
export function isOwnCutOff(subject: Buffer, record: Buffer, generation: Bucket): boolean {
  if (record.length !== cutOffRecordBytes || !record.subarray(0, 16).equals(subject)) return false;
  return generationOf(record.readUInt32BE(32)) === generation.number;
}

const spanOf = (seconds: number, { kind }: Bucket) =>
  kind === "tokens" ? tokenBucketOf(seconds) : generationOf(seconds);
