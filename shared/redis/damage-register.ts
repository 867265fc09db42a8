import type { Log } from "../log.ts";
import type { Clock } from "../ports/platform.ts";
import type { Damage, ForeignEntry } from "../ports/revocation-store.ts";
import type { Addition } from "../revocation/addition.ts";
import { generationOf, tokenBucketOf } from "../revocation/retention.ts";
import { type Bucket, bucketNamed, nameOfBucket } from "./keys.ts";
import { bucketsOf, keyOf, type LoadDeps, recordsIn } from "./load-contents.ts";
import { listIn, numberIn, textIn } from "./replies.ts";
import { createToldLately } from "./told-lately.ts";
import { isWrongType, unlessForeign } from "./wrong-type.ts";

/** Which buckets were found damaged: fields of the state, so that a worker learns what an instance has found. */
export interface DamageRegister {
  readonly loadDeps: LoadDeps;
  /** Logs and counts it, once a minute. */
  noteForeign(kind: ForeignEntry, name: string): void;
  /** Looks for keys of another type once a write of these additions has met one; the write fails in any case. */
  noting<T>(additions: readonly Addition[], reply: Promise<T>): Promise<T>;
  /** Buckets that are damaged still: whoever noted one may have been wrong, and is not taken at his word. */
  readDamaged(): Promise<Damage>;
}

const field = "damaged:";
/** There may be more: they are found once these are repaired. */
const notedAtMost = 200;

export interface DamageRegisterDeps extends Pick<LoadDeps, "connection" | "keys"> {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly log: Log;
}

export function createDamageRegister({ connection, keys, clock, log }: DamageRegisterDeps): DamageRegister {
  const told = createToldLately(clock);
  let foreign = new Map<ForeignEntry, number>();

  function noteForeign(kind: ForeignEntry, name: string): void {
    if (!told.isNews(`${kind} ${name}`)) return;
    log.error(`redis.${kind}`, { name });
    foreign.set(kind, (foreign.get(kind) ?? 0) + 1);
  }

  async function note(bucket: Bucket): Promise<void> {
    const name = nameOfBucket(bucket);
    if (told.isNews(name)) log.error("redis.bucket-damaged", { bucket: name });
    if (await isFull()) return;
    await connection.call("HSET", keys.state, `${field}${name}`, "1");
  }

  async function isFull(): Promise<boolean> {
    // Cheaper than the names, and enough where nobody else writes into the state.
    if (numberIn(await connection.call("HLEN", keys.state)) < notedAtMost) return false;
    return notedIn(await connection.call("HKEYS", keys.state)).length >= notedAtMost;
  }

  const loadDeps: LoadDeps = {
    connection,
    keys,
    onDamage: note,
    async onForeign(kind, member) {
      noteForeign("index-entry-foreign", `${kind}:${member.toString()}`);
      await connection.call("ZREM", keys.indexes[kind], member);
    },
  };

  async function isDamaged(bucket: Bucket): Promise<boolean> {
    const found: Bucket[] = [];
    const chunks = recordsIn({ ...loadDeps, onDamage: (one) => void found.push(one) }, bucket);
    while (found.length === 0 && (await chunks.next()).done !== true);
    return found.length > 0;
  }

  async function noteForeignKeys(additions: readonly Addition[]): Promise<void> {
    for await (const bucket of suspects(additions)) {
      const type = textIn(await connection.call("TYPE", keyOf(keys, bucket)));
      if (type !== "none" && type !== (bucket.kind === "cut-offs" ? "hash" : "string")) await note(bucket);
    }
  }

  /** What the write may have met: each bucket that is listed, and those that it would have made. */
  async function* suspects(additions: readonly Addition[]): AsyncGenerator<Bucket> {
    for (const kind of ["tokens", "unrecorded", "cut-offs"] as const) yield* bucketsOf(loadDeps, kind);
    const tokens = additions.filter((addition) => addition.kind === "token");
    for (const number of new Set(tokens.map(({ exp }) => tokenBucketOf(exp))))
      yield { kind: "tokens", number };
    for (const number of await generationsOfNow(additions)) {
      yield { kind: "unrecorded", number };
      yield { kind: "cut-offs", number };
    }
  }

  async function generationsOfNow(additions: readonly Addition[]): Promise<Set<number>> {
    const [seconds] = listIn(await connection.call("TIME"));
    const lifetime = await connection.call("HGET", keys.state, "longest_lifetime");
    const raised = generationOf(numberIn(seconds) + (lifetime === null ? 0 : numberIn(lifetime)));
    const given = additions.flatMap((addition) => (addition.kind === "token" ? [] : [addition.until]));
    return new Set([raised, raised + 1, ...given.map(generationOf)]);
  }

  return {
    loadDeps,
    noteForeign,
    async noting(additions, reply) {
      try {
        return await reply;
      } catch (error) {
        if (isWrongType(error)) await noteForeignKeys(additions);
        throw error;
      }
    },
    async readDamaged() {
      const noted = notedIn((await unlessForeign(connection.call("HKEYS", keys.state))) ?? []);
      const buckets: string[] = [];
      for (const name of noted) {
        const bucket = bucketNamed(name);
        if (bucket !== null && (await isDamaged(bucket))) buckets.push(name);
        else {
          told.forget(name);
          await connection.call("HDEL", keys.state, `${field}${name}`);
        }
      }
      const met = foreign;
      foreign = new Map();
      return { buckets, foreign: met };
    },
  };
}

/** The names of the buckets. */
function notedIn(fields: Parameters<typeof listIn>[0]): string[] {
  return listIn(fields)
    .map(textIn)
    .filter((name) => name.startsWith(field))
    .map((name) => name.slice(field.length));
}
