import type { Addition, CutOff } from "../revocation/addition.ts";
import type { Fingerprint } from "../revocation/fingerprint.ts";
import { type PackedAdditions, packAdditions } from "../revocation/packed-additions.ts";
import {
  bucketDiesAtMs,
  generationOf,
  generationSeconds,
  tokenBucketOf,
  tokenBucketSeconds,
} from "../revocation/retention.ts";
import type { UndoLog } from "./undo-log.ts";

type Buckets<T> = Map<number, Map<Fingerprint, T>>;

const recordsInChunk = 4096;

/** The revocations themselves, in the buckets that they die with. */
export class StoreBuckets {
  readonly #undo: UndoLog;
  readonly #tokens: Buckets<number> = new Map();
  readonly #unrecorded: Buckets<number> = new Map();
  readonly #cutOffs: Buckets<CutOff> = new Map();

  constructor(undo: UndoLog) {
    this.#undo = undo;
  }

  putToken(token: Fingerprint, exp: number, nowMs: number): void {
    const bucket = tokenBucketOf(exp);
    if (bucketDiesAtMs(bucket, tokenBucketSeconds) <= nowMs) return;
    this.#raise(bucketIn(this.#tokens, bucket), token, exp);
  }

  putUnrecorded(token: Fingerprint, until: number): void {
    this.#raise(bucketIn(this.#unrecorded, generationOf(until)), token, until);
  }

  hasUnrecorded(token: Fingerprint, until: number, nowMs: number): boolean {
    const live = liveBuckets(this.#unrecorded, generationSeconds, nowMs);
    return live.some(([, bucket]) => (bucket.get(token) ?? 0) >= until);
  }

  /** Merges it in, unless a live one is as strict and lives until `mustLiveUntil`; whether it was written. */
  putCutOff(cutOff: CutOff, mustLiveUntil: number, nowMs: number): boolean {
    for (const [, generation] of liveBuckets(this.#cutOffs, generationSeconds, nowMs)) {
      const there = generation.get(cutOff.subject);
      if (there === undefined || there.until * 1000 <= nowMs || there.until < mustLiveUntil) continue;
      if (there.epoch >= cutOff.epoch && there.notBefore >= cutOff.notBefore) return false;
    }
    const generation = bucketIn(this.#cutOffs, generationOf(cutOff.until));
    const before = generation.get(cutOff.subject) ?? cutOff;
    this.#undo.set(generation, cutOff.subject, {
      ...cutOff,
      epoch: Math.max(before.epoch, cutOff.epoch),
      notBefore: Math.max(before.notBefore, cutOff.notBefore),
      until: Math.max(before.until, cutOff.until),
    });
    return true;
  }

  /** Each bucket as it is when its turn comes. */
  *chunks(nowMs: () => number): Generator<PackedAdditions> {
    for (const [, bucket] of liveBuckets(this.#tokens, tokenBucketSeconds, nowMs())) {
      yield* packInChunks([...bucket].map(([token, exp]) => ({ kind: "token", token, exp })));
    }
    for (const [, bucket] of liveBuckets(this.#unrecorded, generationSeconds, nowMs())) {
      yield* packInChunks([...bucket].map(([token, until]) => ({ kind: "unrecorded-token", token, until })));
    }
    for (const [, bucket] of liveBuckets(this.#cutOffs, generationSeconds, nowMs())) {
      yield* packInChunks([...bucket.values()]);
    }
  }

  purge(nowMs: number): number {
    return (
      this.#purge(this.#tokens, tokenBucketSeconds, nowMs) +
      this.#purge(this.#unrecorded, generationSeconds, nowMs) +
      this.#purge(this.#cutOffs, generationSeconds, nowMs)
    );
  }

  clear(): void {
    this.#tokens.clear();
    this.#unrecorded.clear();
    this.#cutOffs.clear();
  }

  #raise(bucket: Map<Fingerprint, number>, token: Fingerprint, seconds: number): void {
    if ((bucket.get(token) ?? 0) < seconds) this.#undo.set(bucket, token, seconds);
  }

  #purge<T>(buckets: Buckets<T>, widthSeconds: number, nowMs: number): number {
    const dead = [...buckets.keys()].filter((bucket) => bucketDiesAtMs(bucket, widthSeconds) <= nowMs);
    for (const bucket of dead) this.#undo.delete(buckets, bucket);
    return dead.length;
  }
}

function bucketIn<T>(buckets: Buckets<T>, name: number): Map<Fingerprint, T> {
  const bucket = buckets.get(name) ?? new Map<Fingerprint, T>();
  buckets.set(name, bucket);
  return bucket;
}

function liveBuckets<T>(buckets: Buckets<T>, widthSeconds: number, nowMs: number) {
  return [...buckets].filter(([name]) => bucketDiesAtMs(name, widthSeconds) > nowMs);
}

function* packInChunks(additions: readonly Addition[]): Generator<PackedAdditions> {
  for (let at = 0; at < additions.length; at += recordsInChunk) {
    yield packAdditions(additions.slice(at, at + recordsInChunk));
  }
}
