import type { Addition } from "../revocation/addition.ts";
import type { Fingerprint } from "../revocation/fingerprint.ts";
import { noAdditions, type PackedAdditions, unpackAdditions } from "../revocation/packed-additions.ts";
import { tokenBucketOf } from "../revocation/retention.ts";
import type { Bucket } from "./keys.ts";
import { bucketsOf, type LoadDeps, recordsIn } from "./load-contents.ts";

/**
 * Which additions a store under repair lacks. Only the holder of the lock changes it then, so each bucket that a
 * chunk touches is read once, and what this repair itself wrote need not be remembered: the ledger names nothing
 * twice. A store that came back empty costs one short reply for each bucket.
 */
export function createMissingRecords(deps: LoadDeps) {
  const tokens = new Map<number, Set<string>>();
  let unrecorded: Map<Fingerprint, number> | undefined;

  async function tokensOf(number: number): Promise<Set<string>> {
    const there = new Set<string>();
    for (const { token, exp } of await read({ kind: "tokens", number })) there.add(`${token}${exp}`);
    return there;
  }

  async function read(bucket: Bucket) {
    const records: { token: Fingerprint; exp: number }[] = [];
    for await (const chunk of recordsIn(deps, bucket)) {
      for (const record of unpackAdditions({ ...noAdditions, tokens: chunk } satisfies PackedAdditions)) {
        if (record.kind === "token") records.push(record);
      }
    }
    return records;
  }

  async function unrecordedThere(): Promise<Map<Fingerprint, number>> {
    const there = new Map<Fingerprint, number>();
    for await (const bucket of bucketsOf(deps, "unrecorded")) {
      for (const { token, exp } of await read(bucket)) {
        there.set(token, Math.max(exp, there.get(token) ?? 0));
      }
    }
    return there;
  }

  async function isMissing(addition: Addition): Promise<boolean> {
    if (addition.kind === "cut-off") return true;
    if (addition.kind === "unrecorded-token") {
      unrecorded ??= await unrecordedThere();
      return (unrecorded.get(addition.token) ?? 0) < addition.until;
    }
    const bucket = tokenBucketOf(addition.exp);
    const there = tokens.get(bucket) ?? (await tokensOf(bucket));
    tokens.set(bucket, there);
    return !there.has(`${addition.token}${addition.exp}`);
  }

  /** Cut-offs are never left out: the script merges them. */
  return async function missingOf(additions: readonly Addition[]): Promise<Addition[]> {
    const missing: Addition[] = [];
    for (const addition of additions) if (await isMissing(addition)) missing.push(addition);
    return missing;
  };
}
