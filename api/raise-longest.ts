import type { Ledger } from "../shared/ports/ledger.ts";
import type { RevocationStore } from "../shared/ports/revocation-store.ts";
import type { Longest } from "../shared/revocation/longest.ts";

export interface RaiseLongestDeps {
  readonly ledger: Pick<Ledger, "raiseLongest">;
  readonly store: Pick<RevocationStore, "wantLongest" | "confirmLongest">;
}

/**
 * Has the fence cover the longest values of this instance. The order matters: a pruner that lowers them first sees in the
 * store that they are wanted, and otherwise finds the fence changed. What was wanted while MongoDB is away is raised by
 * a worker.
 */
export function createRaiseLongest({ ledger, store }: RaiseLongestDeps, longest: Longest) {
  return async function raiseLongest(): Promise<void> {
    await store.wantLongest(longest);
    const fence = await ledger.raiseLongest(longest);
    await store.confirmLongest(fence.longest);
  };
}
