import type { RepairEnd } from "../../shared/ports/revocation-store.ts";

export const usualLongest = { tokenLifetimeSeconds: 900, maxStalenessMs: 5_000, version: 1 };

/** Of a later incarnation, unless that is changed. */
export function repairEnd(incarnation: string, changed: Partial<RepairEnd> = {}): RepairEnd {
  return { incarnation, isFirst: false, wholeSinceMs: null, longest: usualLongest, ...changed };
}
