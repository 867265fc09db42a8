import type { Audit } from "../../shared/audit/audit.ts";
import { entryOfHold } from "../../shared/audit/hold-entries.ts";
import type { HoldSettings } from "../../shared/hold-settings.ts";
import { createGuardAdministrators } from "../../shared/holds/guard-administrators.ts";
import { createHoldRule } from "../../shared/holds/hold-rule.ts";
import type { Log } from "../../shared/log.ts";
import type { Metrics } from "../../shared/metrics.ts";
import type { LedgerRow } from "../../shared/ports/ledger.ts";
import type { Parts } from "../../shared/ports/parts.ts";
import type { Platform } from "../../shared/ports/platform.ts";
import { type Loop, startLoop } from "../loop.ts";
import { dispositionOf } from "../revoker/disposition.ts";
import type { ReceivedEvent } from "../revoker/received-event.ts";
import { createBuryRow } from "./bury-row.ts";
import { createEndHolds } from "./end-holds.ts";

export interface HoldsDeps extends Pick<Parts, "eventLog"> {
  readonly database: Pick<Parts["database"], "users" | "ledger" | "safeguards">;
  readonly platform: Platform;
  readonly settings: HoldSettings;
  readonly namespace: string;
  readonly audit: Audit;
  readonly log: Log;
  readonly metrics: Metrics;
}

const intervalMs = 5_000;
/** More than any event fails before it counts as a bug. */
const ofABug = Number.POSITIVE_INFINITY;

/** What bounds the harm of a mass deactivation, as a worker does its part of it. */
export function createHolds(deps: HoldsDeps) {
  const { database, platform, settings, audit, log, metrics } = deps;
  const { users, ledger, safeguards } = database;
  const { clock, ids } = platform;
  const buryRow = createBuryRow({ ...deps, clock });

  return {
    guardAdministrators: createGuardAdministrators({ users, safeguards, clock, ids }),
    holdRule: createHoldRule({ safeguards, clock, settings }),
    giveUp,
    onHeld,
    start(): Loop {
      const run = createEndHolds({ ledger, safeguards, buryRow, audit, clock, metrics });
      return startLoop({ name: "holds", intervalMs, platform, log, run });
    },
  };

  function onHeld(row: LedgerRow): void {
    const { eventId, type, source } = row;
    metrics.holds.inc({ outcome: "held" });
    audit.record(entryOfHold("event.held", row, { actor: source }));
    log.warn("revocation.held", { event_id: eventId, type, source });
  }

  /** The letter before the note: who reads that it failed is to find its letter. */
  async function giveUp({ eventId }: ReceivedEvent, error: unknown): Promise<void> {
    const disposition = dispositionOf(error, ofABug);
    const row = await ledger.find(eventId);
    if (disposition.kind !== "dead-letter" || row?.status !== "pending") return;
    await buryRow(row, disposition);
    audit.record({
      action: "event.dead-lettered",
      subject: row.subject,
      reason: disposition.reason,
      eventId,
    });
    const lifetimeSeconds = (await ledger.readFence())?.longest.tokenLifetimeSeconds ?? 0;
    await ledger.noteFailed(eventId, { untilMs: clock.wallMs() + lifetimeSeconds * 1_000 });
  }
}
