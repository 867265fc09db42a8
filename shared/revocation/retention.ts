import { clockErrorAllowedMs } from "./addition.ts";

/** Recorded tokens lie together by the minute of their `exp`; a bucket is named by that minute. */
export const tokenBucketSeconds = 60;
/** Cut-offs and unrecorded tokens lie together by the quarter of an hour of their `until`: a generation. */
export const generationSeconds = 15 * 60;

export function tokenBucketOf(exp: number): number {
  return Math.floor(exp / tokenBucketSeconds);
}

export function generationOf(until: number): number {
  return Math.floor(until / generationSeconds);
}

/** When a bucket may go as a whole: past the last record that it could hold, and the clock error allowed. */
export function bucketDiesAtMs(bucket: number, widthSeconds: number): number {
  return (bucket + 1) * widthSeconds * 1000 + clockErrorAllowedMs;
}
