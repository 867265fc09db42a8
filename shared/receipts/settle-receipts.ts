import type { InstanceEnforcement, Ledger, LedgerRow } from "../ports/ledger.ts";
import type { Clock } from "../ports/platform.ts";
import { boundMs } from "../revocation/bound.ts";
import type { Position } from "../revocation/position.ts";
import type { InstanceObserver, Observation, ObservedInstance } from "./instance-observer.ts";

export interface SettleDeps {
  readonly ledger: Pick<Ledger, "noteEnforced" | "findMany" | "readFence">;
  readonly observer: InstanceObserver;
  readonly clock: Clock;
}

export interface Settlement {
  /** As it stands now: `enforced` when it is settled. */
  readonly row: LedgerRow;
  readonly instances: readonly InstanceEnforcement[];
}

const notedAtOnce = 100;

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
    const proven = seen.filter(({ proof }) => proof !== null && proof.incarnation === fence?.incarnation);
    const noted = new Map<string, Settlement>();
    // One after the other: a burst of writes would hold up the revocations that are being applied.
    for (const alike of groupsOf(proven)) {
      for (const one of await note(alike, enforcedAtMs)) noted.set(one.row.eventId, one);
    }
    return seen.map((one) => noted.get(one.row.eventId) ?? one);
  };

  async function note(alike: readonly Seen[], enforcedAtMs: number): Promise<readonly Settlement[]> {
    const [first] = alike;
    if (first?.proof == null) return [];
    const eventIds = alike.map(({ row }) => row.eventId);
    const positions = [...new Set(alike.flatMap(({ proof }) => proof?.position ?? []))];
    const { instances, proof } = first;
    const enforced = { incarnation: proof.incarnation, positions, enforcedAtMs, instances };
    const count = await ledger.noteEnforced(eventIds, enforced);
    if (count === alike.length) {
      return alike.map(({ row }) => ({
        row: { ...row, status: "enforced", enforcedAtMs, instances },
        instances,
      }));
    }
    return (await ledger.findMany(eventIds)).map((row) => ({ row, instances: row.instances }));
  }
}

/** Those that are enforced by the same instances in the same way are noted together, so many at once. */
function groupsOf(proven: readonly Seen[]): Seen[][] {
  const alike = new Map<string, Seen[]>();
  for (const one of proven) {
    const key = JSON.stringify(one.instances);
    const group = alike.get(key);
    if (group === undefined) alike.set(key, [one]);
    else group.push(one);
  }
  return [...alike.values()].flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / notedAtOnce) }, (_, at) =>
      group.slice(at * notedAtOnce, (at + 1) * notedAtOnce),
    ),
  );
}

interface Seen extends Settlement {
  /** Under what the observation shows it enforced; null while it does not, or the row is not to be settled. */
  readonly proof: { readonly incarnation: string; readonly position: Position } | null;
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
