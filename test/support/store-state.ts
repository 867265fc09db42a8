import type { StoreState } from "../../shared/ports/revocation-store.ts";
import { createPosition } from "../../shared/revocation/position.ts";
import { usualLongest } from "./repair-end.ts";

/** Of the first incarnation of a namespace, unless that is changed. */
export function storeState(changed: Partial<StoreState> = {}): StoreState {
  return {
    incarnation: "one",
    incarnationSinceMs: 0,
    isFirstIncarnation: true,
    wholeSinceMs: null,
    head: createPosition(10, 0),
    longest: usualLongest,
    wanted: [],
    storeTimeMs: 0,
    replicaLagMs: 0,
    ...changed,
  };
}
