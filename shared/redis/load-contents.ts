import type { LoadedChunk } from "../ports/revocation-store.ts";
import { readAhead } from "../read-ahead.ts";
import { noAdditions, tokenRecordBytes } from "../revocation/packed-additions.ts";
import type { RedisConnection } from "./connection.ts";
import { type Bucket, type BucketKind, bucketNamed, nameOfBucket, type StoreKeys } from "./keys.ts";
import { isOwnCutOff, ownRecordsIn } from "./own-records.ts";
import { bytesIn, listIn, numberIn, textIn } from "./replies.ts";
import { isGoneScript } from "./scripts/repair.ts";
import { storeInvalid } from "./store-invalid.ts";
import { unlessForeign } from "./wrong-type.ts";

const chunkBytes = Math.floor((256 * 1024) / tokenRecordBytes) * tokenRecordBytes;
const cutOffsInChunk = 4_000;
const bucketsInPage = 1_000;

export interface LoadDeps {
  readonly connection: RedisConnection;
  readonly keys: StoreKeys;
  /** Told of each bucket that is not whole: what was left out of it may have been a record. */
  readonly onDamage: (bucket: Bucket) => Promise<void> | void;
  /** Told of what is in an index and names no bucket: nothing of ours can be in it. */
  readonly onForeign: (kind: BucketKind, member: Buffer) => Promise<void> | void;
}

/**
 * The whole contents, in chunks of about 256 kB. What is there at the first call is in it, unless it expires.
 *
 * What cannot be a record of ours is left out, all the rest is given, and then it fails: a damaged bucket may have held
 * more than what is left of it, so whoever loads it has not loaded all, and must not accept tokens (fails closed).
 * The worker takes such a bucket away and repairs the store from the ledger. Even bytes after the last whole record
 * prove nothing: they may be what is left of a bucket that was overwritten.
 */
export function loadContents(deps: LoadDeps): AsyncGenerator<LoadedChunk> {
  // The next chunk is on its way while the last one is worked on.
  return readAhead(contentsOf(deps));
}

async function* contentsOf(deps: LoadDeps): AsyncGenerator<LoadedChunk> {
  let isDamaged = false;
  const onDamage = (bucket: Bucket) => {
    isDamaged = true;
    return deps.onDamage(bucket);
  };
  const noting = { ...deps, onDamage };
  for await (const bucket of bucketsOf(noting, "tokens")) {
    const bucketRecords = await countRecords(noting, bucket);
    for await (const tokens of recordsIn(noting, bucket)) yield { ...noAdditions, tokens, bucketRecords };
  }
  for await (const bucket of bucketsOf(noting, "unrecorded")) {
    for await (const unrecordedTokens of recordsIn(noting, bucket)) {
      yield { ...noAdditions, unrecordedTokens };
    }
  }
  for await (const bucket of bucketsOf(noting, "cut-offs")) {
    for await (const cutOffs of recordsIn(noting, bucket)) yield { ...noAdditions, cutOffs };
  }
  if (isDamaged) throw storeInvalid();
}

/** Each at least once. In no order: several may die together, so pages by their time could hide one. */
export async function* bucketsOf(
  { connection, keys, onForeign }: LoadDeps,
  kind: BucketKind,
): AsyncGenerator<Bucket> {
  let cursor = "0";
  do {
    const page = ["ZSCAN", keys.indexes[kind], cursor, "COUNT", bucketsInPage] as const;
    const [next, pairs] = listIn(await connection.call(...page));
    const members = listIn(pairs).filter((_part, at) => at % 2 === 0);
    for (const member of members.map(bytesIn)) {
      const bucket = bucketNamed(`${kind}:${textIn(member)}`);
      if (bucket === null) await onForeign(kind, member);
      else yield bucket;
    }
    cursor = textIn(next);
  } while (cursor !== "0");
}

/** The whole records of a bucket, in chunks. It may grow meanwhile: it is only ever added to. */
export async function* recordsIn(deps: LoadDeps, bucket: Bucket): AsyncGenerator<Buffer> {
  let isEmpty = true;
  for await (const records of bucket.kind === "cut-offs" ? cutOffsIn(deps, bucket) : tokensIn(deps, bucket)) {
    isEmpty = false;
    if (records.length > 0) yield records;
  }
  if (isEmpty && (await isGone(deps, bucket))) await deps.onDamage(bucket);
}

/** A bucket of somebody else's has none. */
async function countRecords({ connection, keys }: LoadDeps, bucket: Bucket): Promise<number> {
  const length = await unlessForeign(connection.call("STRLEN", keyOf(keys, bucket)));
  return length === null ? 0 : Math.floor(numberIn(length) / tokenRecordBytes);
}

async function* tokensIn({ connection, keys, onDamage }: LoadDeps, bucket: Bucket): AsyncGenerator<Buffer> {
  for (let at = 0; ; at += chunkBytes) {
    const range = ["GETRANGE", keyOf(keys, bucket), at, at + chunkBytes - 1] as const;
    const reply = await unlessForeign(connection.call(...range));
    if (reply === null) {
      await onDamage(bucket);
      return;
    }
    const bytes = bytesIn(reply);
    const own = ownRecordsIn(bytes, bucket);
    if (own.length !== bytes.length) await onDamage(bucket);
    if (bytes.length > 0) yield own;
    if (bytes.length < chunkBytes) return;
  }
}

async function* cutOffsIn({ connection, keys, onDamage }: LoadDeps, bucket: Bucket): AsyncGenerator<Buffer> {
  let cursor = "0";
  do {
    const page = ["HSCAN", keyOf(keys, bucket), cursor, "COUNT", cutOffsInChunk] as const;
    const reply = await unlessForeign(connection.call(...page));
    if (reply === null) {
      await onDamage(bucket);
      return;
    }
    const [next, pairs] = listIn(reply);
    const parts = listIn(pairs).map(bytesIn);
    const own = parts.filter((part, at) => {
      const subject = parts[at - 1];
      return at % 2 === 1 && subject !== undefined && isOwnCutOff(subject, part, bucket);
    });
    if (own.length * 2 !== parts.length) await onDamage(bucket);
    if (parts.length > 0) yield Buffer.concat(own);
    cursor = textIn(next);
  } while (cursor !== "0");
}

async function isGone({ connection, keys }: LoadDeps, bucket: Bucket): Promise<boolean> {
  const of = [keys.indexes[bucket.kind], keyOf(keys, bucket)];
  return numberIn(await connection.run(isGoneScript, of, [bucket.number])) === 1;
}

export const keyOf = ({ prefix }: StoreKeys, bucket: Bucket) => `${prefix}${nameOfBucket(bucket)}`;
