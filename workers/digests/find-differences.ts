import { AppError } from "../../shared/errors.ts";
import type { Ledger, LedgerRow } from "../../shared/ports/ledger.ts";
import type { Platform } from "../../shared/ports/platform.ts";
import type { RevocationStore, StoreState } from "../../shared/ports/revocation-store.ts";
import { type Digests, differingBuckets, digestBucketOf, digestsOf } from "../../shared/revocation/digest.ts";
import type { Fingerprint } from "../../shared/revocation/fingerprint.ts";
import { unpackAdditions } from "../../shared/revocation/packed-additions.ts";
import { CommandFault } from "../command-fault.ts";
import {
  digestsOfLedger,
  isInStore,
  type LedgerContentsDeps,
  ledgerContents,
} from "../pruner/ledger-contents.ts";
import { WantedRecords } from "../pruner/wanted-records.ts";
import type { Names } from "../revoker/plan.ts";

export interface FindDifferencesDeps {
  readonly ledger: LedgerContentsDeps["ledger"] & Pick<Ledger, "readFence">;
  readonly store: Pick<RevocationStore, "readState" | "readDamaged" | "load">;
  readonly platform: Pick<Platform, "clock" | "timers">;
  readonly names: Names;
}

export interface Difference {
  /** As in `digestsOf`. */
  readonly bucket: string;
  /** Records that the store lacks. */
  readonly missing: number;
  /** Tokens in the store of which the ledger knows nothing. */
  readonly unknown: number;
}

/** What is being written shows in one reading and no longer in the next. */
const readings = 3;
const pauseMs = 2_000;

/**
 * Compares ledger and store by their digests, and looks into the buckets that differ: in some they differ rightfully, since
 * the store keeps cut-offs and unrecorded tokens for longer, and each drops what has expired in its own time.
 */
export function createFindDifferences({ ledger, store, platform, names }: FindDifferencesDeps) {
  const { clock, timers } = platform;

  /** In the order of the buckets; those that each of several readings found. Throws `CommandFault`. */
  return async function findDifferences(): Promise<readonly Difference[]> {
    let found = await read();
    for (let reading = 1; reading < readings && found.length > 0; reading += 1) {
      await timers.sleep(pauseMs);
      const before = new Set(found.map(({ bucket }) => bucket));
      found = (await read()).filter(({ bucket }) => before.has(bucket));
    }
    return found;
  };

  async function read(): Promise<readonly Difference[]> {
    const state = await readValidState();
    const aliveAtMs = Math.max(clock.wallMs(), state.storeTimeMs);
    const ofLedger = await digestsOfLedger({ ledger, names }, aliveAtMs);
    const suspected = new Set(differingBuckets(ofLedger, await digestsOfStore(aliveAtMs)));
    return suspected.size === 0 ? [] : lookInto(suspected, state);
  }

  async function readValidState(): Promise<StoreState & { readonly incarnation: string }> {
    const state = await store.readState();
    const fence = await ledger.readFence();
    const { incarnation } = state;
    if (incarnation === null || incarnation !== fence?.incarnation) {
      throw new CommandFault("the store is not valid: a worker has to prepare or repair it first");
    }
    return { ...state, incarnation };
  }

  async function digestsOfStore(aliveAtMs: number): Promise<Digests> {
    try {
      return await digestsOf(store.load(), aliveAtMs);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "store-invalid") throw error;
      const { buckets } = await store.readDamaged();
      throw new CommandFault(
        `the store holds damaged buckets, which a worker repairs: ${buckets.join(", ")}`,
      );
    }
  }

  /** The ledger before and after the store: what a row was noted for was there before, what is there was marked before. */
  async function lookInto(
    suspected: ReadonlySet<string>,
    { incarnation, storeTimeMs }: StoreState & { readonly incarnation: string },
  ): Promise<readonly Difference[]> {
    const nowMs = clock.wallMs();
    const wanted = new WantedRecords();
    const query = { nowMs, includes: (row: LedgerRow) => isInStore(row, incarnation) };
    for await (const { implied } of ledgerContents({ ledger, names }, query)) {
      for (const one of implied) if (suspected.has(digestBucketOf(one.addition))) wanted.add(one);
    }
    const there = new Map<Fingerprint, string>();
    for await (const chunk of store.load()) {
      wanted.strikeOff(chunk);
      for (const record of unpackAdditions(chunk)) {
        const bucket = digestBucketOf(record);
        const isAlive = record.kind === "token" && record.exp * 1_000 > nowMs;
        if (isAlive && suspected.has(bucket)) there.set(record.token, bucket);
      }
    }
    for await (const { implied } of ledgerContents({ ledger, names }, { nowMs })) {
      for (const { addition } of implied) if (addition.kind === "token") there.delete(addition.token);
    }
    const missing = wanted.left({ nowMs, storeTimeMs }).map(({ addition }) => digestBucketOf(addition));
    return differencesIn(missing, [...there.values()]);
  }
}

function differencesIn(missing: readonly string[], unknown: readonly string[]): Difference[] {
  const [missingIn, unknownIn] = [countedBy(missing), countedBy(unknown)];
  return [...new Set([...missing, ...unknown])].toSorted().map((bucket) => ({
    bucket,
    missing: missingIn.get(bucket) ?? 0,
    unknown: unknownIn.get(bucket) ?? 0,
  }));
}

function countedBy(buckets: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const bucket of buckets) counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
  return counts;
}
