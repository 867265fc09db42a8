import type { Audit } from "../../shared/audit/audit.ts";
import { entryOfHold } from "../../shared/audit/hold-entries.ts";
import type { Log } from "../../shared/log.ts";
import type { Metrics } from "../../shared/metrics.ts";
import type { ConfirmHoldDeps } from "./confirm-hold.ts";
import type { HoldOrChangeDeps } from "./hold-or-change.ts";

export interface NoteHoldsDeps {
  readonly audit: Audit;
  readonly log: Log;
  readonly metrics: Pick<Metrics, "holds">;
}

/** What is said of those that are held, and of those that are confirmed: counted, logged and recorded. */
export function createNoteHolds({
  audit,
  log,
  metrics,
}: NoteHoldsDeps): Pick<HoldOrChangeDeps, "onHeld"> & Pick<ConfirmHoldDeps, "onConfirmed"> {
  return {
    onHeld(row, requestId) {
      const { eventId, type, actor } = row;
      metrics.holds.inc({ outcome: "held" });
      audit.record(entryOfHold("event.held", row, { actor, requestId }));
      log.warn("revocation.held", { event_id: eventId, type, actor });
    },
    onConfirmed(row, { by, requestId }) {
      metrics.holds.inc({ outcome: "confirmed" });
      audit.record(entryOfHold("hold.confirmed", row, { actor: by, requestId }));
      log.info("revocation.confirmed", { event_id: row.eventId, type: row.type, actor: by });
    },
  };
}
