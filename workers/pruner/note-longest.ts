import type { Fence, Ledger } from "../../shared/ports/ledger.ts";
import type { RevocationStore, StoreState } from "../../shared/ports/revocation-store.ts";
import { covers, longestOf } from "../../shared/revocation/longest.ts";

export interface NoteLongestDeps {
  readonly ledger: Pick<Ledger, "raiseLongest">;
  readonly store: Pick<RevocationStore, "confirmLongest">;
}

/**
 * Brings the fence up to the longest values that somebody wants, an instance perhaps that cannot reach MongoDB, and the
 * store up to the fence.
 */
export function createNoteLongest({ ledger, store }: NoteLongestDeps) {
  return async function noteLongest({ longest, wanted }: StoreState, fence: Fence | null): Promise<void> {
    if (fence === null) return;
    const needed = longestOf(wanted);
    const { longest: held } = covers(fence.longest, needed) ? fence : await ledger.raiseLongest(needed);
    const isLater = held.version > longest.version;
    const isHigher = held.version === longest.version && !covers(longest, held);
    if (isLater || isHigher) await store.confirmLongest(held);
  };
}

export type NoteLongest = ReturnType<typeof createNoteLongest>;
