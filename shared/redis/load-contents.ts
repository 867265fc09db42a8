import {
  cutOffRecordBytes,
  noAdditions,
  type PackedAdditions,
  tokenRecordBytes,
} from "../revocation/packed-additions.ts";
import type { RedisConnection } from "./connection.ts";
import type { BucketKind, StoreKeys } from "./keys.ts";
import { bytesIn, listIn, textIn } from "./replies.ts";

const chunkBytes = Math.floor((256 * 1024) / tokenRecordBytes) * tokenRecordBytes;
const cutOffsInChunk = 4_000;
const bucketsInPage = 1_000;

export interface LoadDeps {
  readonly connection: RedisConnection;
  readonly keys: StoreKeys;
  /** Told of each bucket in which something is not a whole record. */
  readonly onDamage: (bucket: string) => void;
}

/** The whole contents, in chunks of about 256 kB. What is there at the first call is in it, unless it expires. */
export async function* loadContents(deps: LoadDeps): AsyncGenerator<PackedAdditions> {
  for await (const bucket of bucketsOf(deps, "tokens")) {
    for await (const tokens of recordsIn(deps, `tokens:${bucket}`)) yield { ...noAdditions, tokens };
  }
  for await (const bucket of bucketsOf(deps, "unrecorded")) {
    for await (const unrecordedTokens of recordsIn(deps, `unrecorded:${bucket}`)) {
      yield { ...noAdditions, unrecordedTokens };
    }
  }
  for await (const bucket of bucketsOf(deps, "cut-offs")) {
    for await (const cutOffs of cutOffsIn(deps, `cut-offs:${bucket}`)) yield { ...noAdditions, cutOffs };
  }
}

/** Each at least once. In no order: several may die together, so pages by their time could hide one. */
export async function* bucketsOf({ connection, keys }: LoadDeps, kind: BucketKind): AsyncGenerator<string> {
  let cursor = "0";
  do {
    const page = ["ZSCAN", keys.indexes[kind], cursor, "COUNT", bucketsInPage] as const;
    const [next, pairs] = listIn(await connection.call(...page));
    yield* listIn(pairs)
      .filter((_part, at) => at % 2 === 0)
      .map(textIn);
    cursor = textIn(next);
  } while (cursor !== "0");
}

/** Whole records of a packed bucket. It may grow meanwhile: it is only ever appended to. */
export async function* recordsIn(
  { connection, keys, onDamage }: LoadDeps,
  bucket: string,
): AsyncGenerator<Buffer> {
  for (let at = 0; ; at += chunkBytes) {
    const range = ["GETRANGE", `${keys.prefix}${bucket}`, at, at + chunkBytes - 1] as const;
    const reply = await unlessForeign(connection.call(...range));
    if (reply === null) {
      onDamage(bucket);
      return;
    }
    const bytes = bytesIn(reply);
    const whole = bytes.length - (bytes.length % tokenRecordBytes);
    if (whole !== bytes.length) onDamage(bucket);
    if (whole > 0) yield bytes.subarray(0, whole);
    if (bytes.length < chunkBytes) return;
  }
}

async function* cutOffsIn({ connection, keys, onDamage }: LoadDeps, bucket: string): AsyncGenerator<Buffer> {
  let cursor = "0";
  do {
    const page = ["HSCAN", `${keys.prefix}${bucket}`, cursor, "COUNT", cutOffsInChunk] as const;
    const reply = await unlessForeign(connection.call(...page));
    if (reply === null) {
      onDamage(bucket);
      return;
    }
    const [next, pairs] = listIn(reply);
    const values = listIn(pairs)
      .filter((_part, at) => at % 2 === 1)
      .map(bytesIn);
    const whole = values.filter((value) => value.length === cutOffRecordBytes);
    if (whole.length !== values.length) onDamage(bucket);
    if (whole.length > 0) yield Buffer.concat(whole);
    cursor = textIn(next);
  } while (cursor !== "0");
}

/** Null for a key of another type: somebody else wrote it, and a load must not end there. */
async function unlessForeign(reply: Promise<unknown>): Promise<unknown> {
  try {
    return await reply;
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    if (cause instanceof Error && cause.message.startsWith("WRONGTYPE")) return null;
    throw error;
  }
}
