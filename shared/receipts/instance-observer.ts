import type { Clock } from "../ports/platform.ts";
import type { InstancesView, RegisteredInstance, RevocationStore } from "../ports/revocation-store.ts";
import { boundMs } from "../revocation/bound.ts";

/**
 * Watches the instances through the store, and says which of them can no longer accept tokens.
 *
 * Silence is measured on the observer's own monotonic clock: from the answer of the first read that showed an
 * instance's present sync count to the sending of the latest read that still showed it. So neither a read that
 * failed, nor an observer that was paused, nor anybody's wall clock makes an instance silent. An instance that has
 * vanished from the store without signing off (a wiped store forgets it) stays under watch as a silent one.
 */
export interface InstanceObserver {
  /** One read of the store; what it shows holds at its sending. Rejects with the store's error. */
  observe(): Promise<Observation>;
}

export interface Observation {
  readonly view: InstancesView;
  /** The registered ones and those that vanished and may still accept. */
  readonly instances: readonly ObservedInstance[];
  /**
   * Whether nobody can hold a lease from before the present incarnation. A store that was wiped or failed over may
   * have forgotten an instance, so until then it proves nothing; the first one of a namespace has nothing to forget.
   * It takes the bound by the store's clock, which may have stepped since, and by ours, from the first sight of it.
   */
  readonly isIncarnationSettled: boolean;
}

export interface ObservedInstance extends RegisteredInstance {
  /** Its lease has run out: it refuses every token until it syncs again. */
  readonly isFenced: boolean;
}

interface Watch {
  readonly instance: RegisteredInstance;
  readonly firstShownAtMs: number;
  readonly lastShownAtMs: number;
}

export function createInstanceObserver(deps: {
  readonly store: Pick<RevocationStore, "readInstances">;
  readonly clock: Clock;
}): InstanceObserver {
  const watches = new Map<string, Watch>();
  let incarnation: { readonly id: string | null; readonly seenSinceMs: number } | undefined;

  return {
    async observe() {
      const sentAtMs = deps.clock.monotonicMs();
      const view = await deps.store.readInstances();
      const answeredAtMs = deps.clock.monotonicMs();

      if (incarnation?.id !== view.incarnation) {
        incarnation = { id: view.incarnation, seenSinceMs: answeredAtMs };
      }
      for (const instance of view.instances)
        watches.set(instance.id, watch(instance, sentAtMs, answeredAtMs));
      const registered = new Set(view.instances.map(({ id }) => id));
      for (const [id, seen] of watches) {
        if (registered.has(id)) continue;
        const vanished = { ...seen, lastShownAtMs: Math.max(seen.lastShownAtMs, sentAtMs) };
        if (isFenced(vanished) || seen.instance.signedOffAtMs !== null) watches.delete(id);
        else watches.set(id, vanished);
      }
      return {
        view,
        instances: [...watches.values()].map((seen) => ({ ...seen.instance, isFenced: isFenced(seen) })),
        isIncarnationSettled: isIncarnationSettled(view, incarnation.seenSinceMs, sentAtMs),
      };
    },
  };

  function watch(instance: RegisteredInstance, sentAtMs: number, answeredAtMs: number): Watch {
    const seen = watches.get(instance.id);
    if (seen === undefined || seen.instance.syncCount !== instance.syncCount) {
      return { instance, firstShownAtMs: answeredAtMs, lastShownAtMs: sentAtMs };
    }
    return {
      instance,
      firstShownAtMs: seen.firstShownAtMs,
      lastShownAtMs: Math.max(seen.lastShownAtMs, sentAtMs),
    };
  }

  function isIncarnationSettled(view: InstancesView, seenSinceMs: number, sentAtMs: number): boolean {
    if (view.incarnation === null) return false;
    if (view.isFirstIncarnation) return true;
    // The last lease of before may have been renewed by a primary that was cut off already.
    const bound = boundMs(view.longest.maxStalenessMs) + view.replicaLagMs;
    const isOldByStore = view.storeTimeMs - view.incarnationSinceMs > bound;
    return isOldByStore && sentAtMs - seenSinceMs > bound;
  }
}

function isFenced({ instance, firstShownAtMs, lastShownAtMs }: Watch): boolean {
  return lastShownAtMs - firstShownAtMs > boundMs(instance.maxStalenessMs);
}
