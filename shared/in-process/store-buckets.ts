import { type Addition, type CutOff, clockErrorAllowedMs } from "../revocation/addition.ts";
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
  /** When the buckets of `#tokens` die: never before whatever was put in last may have expired. */
  readonly #tokensDieAtMs = new Map<number, number>();
  readonly #unrecorded: Buckets<number> = new Map();
  readonly #cutOffs: Buckets<CutOff> = new Map();

  constructor(undo: UndoLog) {
    this.#undo = undo;
  }

  /** Whoever adds it knows that it may live, whatever this clock says: it is kept until `leastUntilMs` too. */
  putToken(token: Fingerprint, exp: number, leastUntilMs: number): void {
    const bucket = tokenBucketOf(exp);
    const diesAtMs = Math.max(bucketDiesAtMs(bucket, tokenBucketSeconds), leastUntilMs + clockErrorAllowedMs);
    this.#undo.set(this.#tokensDieAtMs, bucket, diesAtMs);
    this.#raise(bucketIn(this.#tokens, bucket), token, exp);
  }

  putUnrecorded(token: Fingerprint, until: number): void {
    this.#raise(bucketIn(this.#unrecorded, generationOf(until)), token, until);
  }

  hasUnrecorded(token: Fingerprint, until: number, nowMs: number): boolean {
    const live = liveGenerations(this.#unrecorded, nowMs);
    return live.some(([, bucket]) => (bucket.get(token) ?? 0) >= until);
  }

  /** Merges it in, unless a live one is as strict and lives until `mustLiveUntil`; whether it was written. */
  putCutOff(cutOff: CutOff, mustLiveUntil: number, nowMs: number): boolean {
    for (const [, generation] of liveGenerations(this.#cutOffs, nowMs)) {
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
    for (const [name, bucket] of this.#tokens) {
      if (this.#areTokensDead(name, nowMs())) continue;
      yield* packInChunks([...bucket].map(([token, exp]) => ({ kind: "token", token, exp })));
    }
    for (const [, bucket] of liveGenerations(this.#unrecorded, nowMs())) {
      yield* packInChunks([...bucket].map(([token, until]) => ({ kind: "unrecorded-token", token, until })));
    }
    for (const [, bucket] of liveGenerations(this.#cutOffs, nowMs())) {
      yield* packInChunks([...bucket.values()]);
    }
  }

  purge(nowMs: number): number {
    const removed =
      this.#purge(this.#tokens, (bucket) => this.#areTokensDead(bucket, nowMs)) +
      this.#purge(this.#unrecorded, (bucket) => isGenerationDead(bucket, nowMs)) +
      this.#purge(this.#cutOffs, (bucket) => isGenerationDead(bucket, nowMs));
    for (const bucket of this.#tokensDieAtMs.keys()) {
      if (!this.#tokens.has(bucket)) this.#undo.delete(this.#tokensDieAtMs, bucket);
    }
    return removed;
  }

  /** What is chosen is gone; how many entries. */
  lose(isLost: (addition: Addition) => boolean): number {
    const cutOffs = loseFrom(this.#cutOffs, (_, cutOff) => isLost(cutOff));
    const tokens = loseFrom(this.#tokens, (token, exp) => isLost({ kind: "token", token, exp }));
    return (
      cutOffs +
      tokens +
      loseFrom(this.#unrecorded, (token, until) => isLost({ kind: "unrecorded-token", token, until }))
    );
  }

  /** A bucket by its name, such as `tokens:29468160`. */
  discard(name: string): void {
    const [kind = "", number = ""] = name.split(":");
    const buckets: Readonly<Record<string, Buckets<unknown>>> = {
      tokens: this.#tokens,
      unrecorded: this.#unrecorded,
      "cut-offs": this.#cutOffs,
    };
    const of = buckets[kind];
    if (of !== undefined) this.#undo.delete(of, Number(number));
  }

  takeCopyOf(other: StoreBuckets): void {
    for (const [name, bucket] of other.#tokens) this.#tokens.set(name, new Map(bucket));
    for (const [name, diesAtMs] of other.#tokensDieAtMs) this.#tokensDieAtMs.set(name, diesAtMs);
    for (const [name, bucket] of other.#unrecorded) this.#unrecorded.set(name, new Map(bucket));
    for (const [name, bucket] of other.#cutOffs) this.#cutOffs.set(name, new Map(bucket));
  }

  clear(): void {
    this.#tokens.clear();
    this.#tokensDieAtMs.clear();
    this.#unrecorded.clear();
    this.#cutOffs.clear();
  }

  #raise(bucket: Map<Fingerprint, number>, token: Fingerprint, seconds: number): void {
    if ((bucket.get(token) ?? 0) < seconds) this.#undo.set(bucket, token, seconds);
  }

  #areTokensDead(bucket: number, nowMs: number): boolean {
    return (this.#tokensDieAtMs.get(bucket) ?? 0) <= nowMs;
  }

  #purge<T>(buckets: Buckets<T>, isDead: (bucket: number) => boolean): number {
    const dead = [...buckets.keys()].filter(isDead);
    for (const bucket of dead) this.#undo.delete(buckets, bucket);
    return dead.length;
  }
}

function bucketIn<T>(buckets: Buckets<T>, name: number): Map<Fingerprint, T> {
  const bucket = buckets.get(name) ?? new Map<Fingerprint, T>();
  buckets.set(name, bucket);
  return bucket;
}

function loseFrom<T>(buckets: Buckets<T>, isLost: (name: Fingerprint, value: T) => boolean): number {
  let lost = 0;
  for (const bucket of buckets.values()) {
    for (const [name, value] of bucket) if (isLost(name, value) && bucket.delete(name)) lost += 1;
  }
  return lost;
}

function isGenerationDead(generation: number, nowMs: number): boolean {
  return bucketDiesAtMs(generation, generationSeconds) <= nowMs;
}

function liveGenerations<T>(generations: Buckets<T>, nowMs: number) {
  return [...generations].filter(([name]) => !isGenerationDead(name, nowMs));
}

function* packInChunks(additions: readonly Addition[]): Generator<PackedAdditions> {
  for (let at = 0; at < additions.length; at += recordsInChunk) {
    yield packAdditions(additions.slice(at, at + recordsInChunk));
  }
}
