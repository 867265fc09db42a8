import type { InstanceEnforcement, Ledger, LedgerRow } from "../ports/ledger.ts";
import type { Clock } from "../ports/platform.ts";
import { boundMs } from "../revocation/bound.ts";
import type { InstanceObserver, Observation, ObservedInstance } from "./instance-observer.ts";

export interface SettleDeps {
  readonly ledger: Pick<Ledger, "noteEnforced" | "find">;
  readonly observer: InstanceObserver;
  readonly clock: Clock;
}

export interface Settlement {
  /** As it stands now: `enforced` when it is settled. */
  readonly row: LedgerRow;
  readonly instances: readonly InstanceEnforcement[];
}

/**
 * Settles the applied rows among those given that every instance enforces, or can no longer violate. The
 * observation is made here, after the rows were read, so it was sent after they were noted: an instance that
 * registers later loads what they say before it accepts anything.
 */
export function createSettleReceipts({ ledger, observer, clock }: SettleDeps) {
  return async function settleReceipts(rows: readonly LedgerRow[]): Promise<Settlement[]> {
    const applied = rows.filter(({ status }) => status === "applied");
    if (applied.length === 0) return rows.map((row) => ({ row, instances: row.instances }));
    const observation = await observer.observe();
    const enforcedAtMs = clock.wallMs();
    return Promise.all(rows.map((row) => settle(row, observation, enforcedAtMs)));
  };

  async function settle(row: LedgerRow, observation: Observation, enforcedAtMs: number): Promise<Settlement> {
    const { incarnation, position } = row;
    if (row.status !== "applied" || incarnation === null || position === null) {
      return { row, instances: row.instances };
    }
    const instances = observation.instances.map((instance) => enforcementOf(row, instance));
    const isProof = observation.isIncarnationSettled && observation.view.incarnation === incarnation;
    if (!isProof || instances.some(({ state }) => state === "pending")) return { row, instances };
    const isNoted = await ledger.noteEnforced(row.eventId, {
      incarnation,
      position,
      enforcedAtMs,
      instances,
    });
    if (isNoted) return { row: { ...row, status: "enforced", enforcedAtMs, instances }, instances };
    const current = await ledger.find(row.eventId);
    return { row: current ?? row, instances: current?.instances ?? instances };
  }
}

export type SettleReceipts = ReturnType<typeof createSettleReceipts>;

function enforcementOf(row: LedgerRow, instance: ObservedInstance): InstanceEnforcement {
  const { id, lastSyncAtMs, signedOffAtMs } = instance;
  if (signedOffAtMs !== null) return { id, state: "gone", atMs: signedOffAtMs };
  const isThere =
    instance.incarnation === row.incarnation && row.position !== null && instance.position >= row.position;
  if (isThere) return { id, state: "enforced", atMs: lastSyncAtMs };
  if (instance.isFenced)
    return { id, state: "fenced", atMs: lastSyncAtMs + boundMs(instance.maxStalenessMs) };
  return { id, state: "pending", atMs: lastSyncAtMs };
}
