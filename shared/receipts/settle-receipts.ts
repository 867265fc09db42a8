import type { EnforcedNote, InstanceEnforcement, Ledger, LedgerRow } from "../ports/ledger.ts";
import type { Clock } from "../ports/platform.ts";
import { boundMs } from "../revocation/bound.ts";
import type { InstanceObserver, Observation, ObservedInstance } from "./instance-observer.ts";

export interface SettleDeps {
  readonly ledger: Pick<Ledger, "noteEnforced" | "find" | "readFence">;
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
 * registers later loads what they say before it accepts anything. The fence is read after the observation: on a
 * store that nobody else follows any more an instance that has moved on looks silent, and only the fence knows that
 * there is a newer incarnation.
 */
export function createSettleReceipts({ ledger, observer, clock }: SettleDeps) {
  return async function settleReceipts(rows: readonly LedgerRow[]): Promise<Settlement[]> {
    const applied = rows.filter(({ status }) => status === "applied");
    if (applied.length === 0) return rows.map((row) => ({ row, instances: row.instances }));
    const observation = await observer.observe();
    const enforcedAtMs = clock.wallMs();
    const seen = rows.map((row) => look(row, observation));
    if (!seen.some(({ proof }) => proof !== null)) return seen;
    const fence = await ledger.readFence();
    const settlements: Settlement[] = [];
    // One after the other: a burst of writes would hold up the revocations that are being applied.
    for (const one of seen) {
      const isPresent = one.proof !== null && one.proof.incarnation === fence?.incarnation;
      settlements.push(
        isPresent ? await note(one, { ...one.proof, enforcedAtMs, instances: one.instances }) : one,
      );
    }
    return settlements;
  };

  async function note({ row }: Settlement, enforced: EnforcedNote): Promise<Settlement> {
    const { enforcedAtMs, instances } = enforced;
    const isNoted = await ledger.noteEnforced(row.eventId, enforced);
    if (isNoted) return { row: { ...row, status: "enforced", enforcedAtMs, instances }, instances };
    const current = await ledger.find(row.eventId);
    return { row: current ?? row, instances: current?.instances ?? instances };
  }
}

interface Seen extends Settlement {
  /** Under what the observation shows it enforced; null while it does not, or the row is not to be settled. */
  readonly proof: Pick<EnforcedNote, "incarnation" | "position"> | null;
}

function look(row: LedgerRow, observation: Observation): Seen {
  const { incarnation, position } = row;
  if (row.status !== "applied" || incarnation === null || position === null) {
    return { row, instances: row.instances, proof: null };
  }
  const instances = observation.instances.map((instance) => enforcementOf(row, instance));
  const isProof = observation.isIncarnationSettled && observation.view.incarnation === incarnation;
  const isEverywhere = instances.every(({ state }) => state !== "pending");
  return { row, instances, proof: isProof && isEverywhere ? { incarnation, position } : null };
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
