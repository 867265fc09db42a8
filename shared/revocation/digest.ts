import { createHash } from "node:crypto";
import type { Addition, CutOff } from "./addition.ts";
import type { Fingerprint } from "./fingerprint.ts";
import { type PackedAdditions, unpackAdditions } from "./packed-additions.ts";
import {
  bucketDiesAtMs,
  generationOf,
  generationSeconds,
  tokenBucketOf,
  tokenBucketSeconds,
} from "./retention.ts";

/** By bucket: how many elements it has, and a hash of the set of them. Equal where what is enforced is equal. */
export type Digests = ReadonlyMap<string, string>;

type Contents = AsyncIterable<PackedAdditions> | Iterable<PackedAdditions>;

/**
 * Digests of what the contents enforce, whatever their order and however often they name something:
 *
 * tokens:<minute>      the fingerprints of the recorded tokens that expire in that minute
 * unrecorded:<00..ff>  the fingerprints of unrecorded tokens, by their first byte
 * cut-offs:<00..ff>    subject, greatest epoch and greatest notBefore, by the subject's first byte
 *
 * The last two lie in generations by `until`, which differs rightfully: the store raises it, a repair or a longer-lived
 * token raises it again, and every copy made before keeps what it has. Since each generation is asked at every check,
 * what is enforced is the merge of all of them; so the merge is what is digested.
 *
 * Minutes and generations that may be dropped at `aliveAtMs`, the clock error allowed included, are left out: each copy
 * drops those in its own time. Two parties that agree may seem to differ only in a cut-off or an unrecorded token that
 * ends in one generation by the ledger and in the next by the store, while the first of the two may be dropped and the
 * second may not.
 */
export async function digestsOf(contents: Contents, aliveAtMs = 0): Promise<Digests> {
  const tokens = new Map<string, Set<Fingerprint>>();
  const cutOffs = new Map<Fingerprint, Pick<CutOff, "epoch" | "notBefore">>();
  const put = (bucket: string, token: Fingerprint) => {
    const there = tokens.get(bucket) ?? new Set();
    tokens.set(bucket, there.add(token));
  };
  for await (const packed of contents) {
    for (const addition of unpackAdditions(packed)) {
      if (isOver(addition, aliveAtMs)) continue;
      if (addition.kind !== "cut-off") put(digestBucketOf(addition), addition.token);
      else cutOffs.set(addition.subject, strictest(cutOffs.get(addition.subject), addition));
    }
  }
  const elements = new Map<string, string[]>([...tokens].map(([bucket, there]) => [bucket, [...there]]));
  for (const [subject, { epoch, notBefore }] of cutOffs) {
    const bucket = partition("cut-offs", subject);
    const there = elements.get(bucket) ?? [];
    there.push(`${subject} ${epoch} ${notBefore}`);
    elements.set(bucket, there);
  }
  return new Map([...elements].map(([bucket, there]) => [bucket, digestOfSet(there)]));
}

/** The bucket that it counts in. */
export function digestBucketOf(addition: Addition): string {
  if (addition.kind === "token") return `tokens:${tokenBucketOf(addition.exp)}`;
  if (addition.kind === "unrecorded-token") return partition("unrecorded", addition.token);
  return partition("cut-offs", addition.subject);
}

/** The buckets in which two parties differ, in order; none when they enforce the same. */
export function differingBuckets(a: Digests, b: Digests): string[] {
  const all = new Set([...a.keys(), ...b.keys()]);
  return [...all].filter((bucket) => a.get(bucket) !== b.get(bucket)).toSorted();
}

const partition = (kind: string, fingerprint: Fingerprint) => `${kind}:${fingerprint.slice(0, 2)}`;

function strictest(
  before: Pick<CutOff, "epoch" | "notBefore"> | undefined,
  { epoch, notBefore }: CutOff,
): Pick<CutOff, "epoch" | "notBefore"> {
  if (before === undefined) return { epoch, notBefore };
  return { epoch: Math.max(before.epoch, epoch), notBefore: Math.max(before.notBefore, notBefore) };
}

function digestOfSet(elements: string[]): string {
  const hash = createHash("sha256");
  for (const element of elements.toSorted()) hash.update(element).update("\n");
  return `${elements.length}:${hash.digest("hex").slice(0, 32)}`;
}

function isOver(addition: Addition, atMs: number): boolean {
  const diesAtMs =
    addition.kind === "token"
      ? bucketDiesAtMs(tokenBucketOf(addition.exp), tokenBucketSeconds)
      : bucketDiesAtMs(generationOf(addition.until), generationSeconds);
  return diesAtMs <= atMs;
}
