import type { Log } from "../../shared/log.ts";
import type { Fence, Ledger } from "../../shared/ports/ledger.ts";
import type { Clock } from "../../shared/ports/platform.ts";
import type { InstancesView, RevocationStore } from "../../shared/ports/revocation-store.ts";
import { clockErrorAllowedMs } from "../../shared/revocation/addition.ts";
import { boundMs } from "../../shared/revocation/bound.ts";
import { covers, type Longest, type Lowering, longestOf } from "../../shared/revocation/longest.ts";
import { goneInstanceMs } from "./gone-instance.ts";

export interface LowerLongestDeps {
  readonly ledger: Pick<Ledger, "readFence" | "lowerLongest">;
  readonly store: Pick<RevocationStore, "readInstances" | "lowerLongest">;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly log: Log;
}

interface Watch {
  /** All that must stay as it is. */
  readonly seen: string;
  readonly sinceMs: number;
  readonly lastMs: number;
}

/**
 * Lowers the longest values in use to those of the registered instances, once nobody can hold a lease or a token by
 * longer ones: for one longest lifetime and the bound with the longest staleness, by this worker's monotonic clock and
 * under one incarnation, nobody was registered with longer ones, whatever his state, and none were wanted. The store is
 * lowered first, by a script that looks at all of it again; then the fence, if nobody has raised it since it was read
 * before that. Dying in between leaves the fence high, which is safe: the store takes nothing below the fence for enough.
 *
 * Whoever is registered stays so for an hour and the bound, so that none is missed between two rounds; a longer gap
 * begins anew. Without any instance nothing is lowered: the first to come back is likely to be as before.
 */
export function createLowerLongest({ ledger, store, clock, log }: LowerLongestDeps) {
  let watch: Watch | undefined;

  return async function lowerLongest(): Promise<void> {
    const sentAtMs = clock.monotonicMs();
    const fence = await ledger.readFence();
    const view = await store.readInstances();
    const lowering = fence === null ? null : loweringOf(fence, view);
    if (fence === null || lowering === null) {
      watch = undefined;
      return;
    }
    watch = goOn(JSON.stringify([fence.incarnation, lowering.to, lowering.wanted]), sentAtMs);
    const waitMs = fence.longest.tokenLifetimeSeconds * 1_000 + boundMs(fence.longest.maxStalenessMs);
    if (sentAtMs - watch.sinceMs <= waitMs + view.replicaLagMs + clockErrorAllowedMs) return;
    await lower(fence, lowering);
  };

  function goOn(seen: string, sentAtMs: number): Watch {
    const nowMs = clock.monotonicMs();
    const isTheSame = watch?.seen === seen && nowMs - watch.lastMs < goneInstanceMs;
    return { seen, sinceMs: isTheSame && watch !== undefined ? watch.sinceMs : nowMs, lastMs: sentAtMs };
  }

  async function lower({ longest: from }: Fence, lowering: SeenLowering): Promise<void> {
    watch = undefined;
    const { incarnation, to } = lowering;
    const isStoreLowered = await store.lowerLongest({
      ...lowering,
      to: { ...to, version: from.version + 1 },
    });
    if (!isStoreLowered) return;
    if (await ledger.lowerLongest(to, { incarnation, version: from.version })) {
      log.info("pruner.longest-lowered", { from, to });
    }
  }
}

export type LowerLongest = ReturnType<typeof createLowerLongest>;

type SeenLowering = Omit<Lowering, "to"> & { readonly to: Longest };

/** Null where there is nothing to lower, or not under this incarnation. */
function loweringOf({ incarnation, longest }: Fence, view: InstancesView): SeenLowering | null {
  if (incarnation === null || view.incarnation !== incarnation || view.instances.length === 0) return null;
  const used = longestOf(view.instances);
  const to = {
    tokenLifetimeSeconds: Math.min(longest.tokenLifetimeSeconds, used.tokenLifetimeSeconds),
    maxStalenessMs: Math.min(longest.maxStalenessMs, used.maxStalenessMs),
  };
  if (covers(to, longest)) return null;
  return { incarnation, from: view.longest, to, wanted: view.wanted.filter((one) => !covers(to, one)) };
}
