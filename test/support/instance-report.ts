import type { InstanceReport } from "../../shared/ports/revocation-store.ts";
import { origin } from "../../shared/revocation/position.ts";

/** Of an instance with the usual settings. */
export function report(instanceId: string, incarnation: string | null, position = origin): InstanceReport {
  return {
    instanceId,
    incarnation,
    position,
    maxStalenessMs: 5_000,
    tokenLifetimeSeconds: 900,
    entries: 0,
  };
}
