import type { InstancesView, RegisteredInstance } from "../ports/revocation-store.ts";
import { longestOfAny } from "../revocation/longest.ts";
import { origin } from "../revocation/position.ts";
import { listIn, numberIn, positionIn, textIn } from "./replies.ts";

/** What the store is and who is registered, and the ids of those that cannot be read. */
export interface StateReply {
  readonly view: InstancesView;
  readonly unreadable: readonly string[];
}

export function stateReplyIn(reply: unknown): StateReply {
  const parts = listIn(reply);
  const [incarnation, since, first, whole, head, now, lag, lifetime, staleness, version, wanted, listed] =
    parts;
  const instances = listIn(listed).map((one) => listIn(one).map(textIn));
  const view = {
    incarnation: textIn(incarnation) || null,
    incarnationSinceMs: numberIn(since),
    isFirstIncarnation: textIn(first) === "1",
    wholeSinceMs: textIn(whole) === "-" ? null : numberIn(whole),
    head: positionIn(head),
    storeTimeMs: numberIn(now),
    replicaLagMs: numberIn(lag),
    longest: { ...longestIn(lifetime, staleness), version: numberIn(version) },
    wanted: listIn(wanted).map((one) => {
      const [itsLifetime, itsStaleness, times] = listIn(one);
      return { ...longestIn(itsLifetime, itsStaleness), times: numberIn(times) };
    }),
    instances: instances.map(instanceIn),
  };
  return { view, unreadable: instances.flatMap(([id = "", ...rest]) => (rest.length === 0 ? [id] : [])) };
}

const longestIn = (lifetime: unknown, staleness: unknown) => ({
  tokenLifetimeSeconds: numberIn(lifetime),
  maxStalenessMs: numberIn(staleness),
});

/**
 * What cannot be read may be what is left of an instance that holds a lease: it counts as one that enforces nothing,
 * until it has been silent for the longest time that any may be. One that lives writes itself anew within a sync.
 */
function instanceIn([id = "", ...parts]: readonly string[]): RegisteredInstance {
  const [incarnation, position, maxStaleness, lifetime, entries, count, lastSync, signedOff] = parts;
  if (position === undefined) {
    const nothing = { incarnation: null, position: origin, entries: 0, syncCount: 0, lastSyncAtMs: 0 };
    return { id, ...nothing, ...longestOfAny, signedOffAtMs: null };
  }
  return {
    id,
    incarnation: incarnation === undefined || incarnation === "-" ? null : incarnation,
    position: positionIn(position),
    maxStalenessMs: Number(maxStaleness),
    tokenLifetimeSeconds: Number(lifetime),
    entries: Number(entries),
    syncCount: Number(count),
    lastSyncAtMs: Number(lastSync),
    signedOffAtMs: signedOff === "-" ? null : Number(signedOff),
  };
}
