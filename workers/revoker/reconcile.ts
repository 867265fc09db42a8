import { isRetriable } from "../../shared/errors.ts";
import { type EventType, ownSource } from "../../shared/events/event.ts";
import { reconciliationIdOf } from "../../shared/events/event-id.ts";
import type { Log } from "../../shared/log.ts";
import type { Ledger, LedgerRow } from "../../shared/ports/ledger.ts";
import type { Clock } from "../../shared/ports/platform.ts";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import type { IdentifiedState, UserStore } from "../../shared/ports/user-store.ts";
import { clockErrorAllowedMs } from "../../shared/revocation/addition.ts";
import type { UserStatus } from "../../shared/revocation/user-state.ts";
import { type PageQuery, pagesOf } from "../pages.ts";
import type { ApplyEvent } from "./apply-event.ts";
import { type ReceivedEvent, receiveEvent, receiveRow } from "./received-event.ts";
import type { Heartbeat } from "./write-revocation.ts";

export interface ReconcileDeps {
  readonly users: Pick<UserStore, "listStates">;
  readonly ledger: Pick<Ledger, "list" | "listPending" | "lastExpiryMs" | "readFence">;
  readonly store: Pick<RevocationStore, "notifyApplied">;
  readonly applyEvent: ApplyEvent;
  readonly clock: Clock;
  readonly namespace: string;
  readonly log: Log;
}

export interface Reconciled {
  /** Rows that waited for their event. */
  readonly pending: number;
  /** Users whose cut-off stood in no row. */
  readonly users: number;
  /** What was refused for good: it is logged, and stays as it is. */
  readonly refused: number;
}

const step = 1_000;
const readsAtOnce = 16;
const typeOf: Readonly<Record<UserStatus, EventType>> = {
  active: "user.signed-out",
  deactivated: "user.deactivated",
  deleted: "user.deleted",
};

/**
 * Brings about from MongoDB what lost events would have: first the rows that wait for their event, which say all that
 * it said; then, for every user whose epoch was raised, a cut-off below it, unless a row holds it already or none of
 * his tokens can still live. All of it goes the ordinary way (`applyEvent`), under ids that are the same each time, so
 * that it may break off anywhere, and two workers may do it at once. What waits in an outbox is not lost: the relay
 * sees to it. An upstream event that never arrived here left nothing to go by.
 */
export function createReconcile(deps: ReconcileDeps) {
  const { users, ledger, store, applyEvent, clock, namespace, log } = deps;

  return async function reconcile(heartbeat: Heartbeat): Promise<Reconciled> {
    let [pending, raised, refused] = [0, 0, 0];
    for await (const rows of pagesOf<LedgerRow, LedgerRow>(step, (row) => row, listPending)) {
      for (const row of rows) {
        if (await apply(receiveRow(row, namespace), heartbeat)) pending += 1;
        else refused += 1;
      }
    }
    for await (const state of statesNotCutOff(heartbeat)) {
      if (await apply(reconciliationOf(state), heartbeat)) raised += 1;
      else refused += 1;
    }
    return { pending, users: raised, refused };
  };

  /** False when it was refused for good; others must not wait for it. */
  async function apply(received: ReceivedEvent, heartbeat: Heartbeat): Promise<boolean> {
    const { eventId } = received;
    await heartbeat();
    try {
      await applyEvent(received, { heartbeat });
    } catch (err) {
      await heartbeat();
      if (isRetriable(err)) throw err;
      log.error("revoker.reconcile-refused", { event_id: eventId, err });
      return false;
    }
    log.info("revocation.reconciled", { event_id: eventId, type: received.event.type });
    store.notifyApplied([eventId]).catch((err: unknown) => log.debug("revoker.notify-failed", { err }));
    return true;
  }

  function listPending({ limit, after }: PageQuery<LedgerRow>): Promise<LedgerRow[]> {
    return ledger.listPending(limit, after);
  }

  async function* statesNotCutOff(heartbeat: Heartbeat): AsyncGenerator<IdentifiedState> {
    const lifetimeMs = ((await ledger.readFence())?.longest.tokenLifetimeSeconds ?? 0) * 1_000;
    for await (const states of raisedStates()) {
      for (let start = 0; start < states.length; start += readsAtOnce) {
        const some = states.slice(start, start + readsAtOnce);
        const isLacking = await Promise.all(some.map((state) => lacksCutOff(state, lifetimeMs)));
        yield* some.filter((_, i) => isLacking[i]);
        await heartbeat();
      }
    }
  }

  async function* raisedStates(): AsyncGenerator<IdentifiedState[]> {
    const listStates = (query: PageQuery) => users.listStates(query);
    for await (const states of pagesOf(step, ({ id }: IdentifiedState) => id, listStates))
      yield states.filter(({ epoch }) => epoch > 0);
  }

  async function lacksCutOff(state: IdentifiedState, lifetimeMs: number): Promise<boolean> {
    return (await mayLive(state, lifetimeMs)) && !(await isCutOff(state));
  }

  /** Tokens below his epoch: those recorded, and those that somebody who read him before has yet to record. */
  async function mayLive(state: IdentifiedState, lifetimeMs: number): Promise<boolean> {
    const expiredMs = clock.wallMs() - clockErrorAllowedMs;
    if (Math.max(state.statusChangedAtMs, state.epochRaisedAtMs) + lifetimeMs > expiredMs) return true;
    return ((await ledger.lastExpiryMs(state.id)) ?? 0) > expiredMs;
  }

  async function isCutOff({ id: subject, epoch }: IdentifiedState): Promise<boolean> {
    const rows = await ledger.list({ subject, limit: step });
    return rows.some((row) => {
      const isApplied = row.status === "applied" || row.status === "enforced";
      return isApplied && row.sid === null && row.epoch !== null && row.epoch >= epoch;
    });
  }

  function reconciliationOf({ id: subject, epoch, status }: IdentifiedState): ReceivedEvent {
    return receiveEvent(
      {
        id: reconciliationIdOf(subject, epoch),
        source: ownSource(namespace),
        type: typeOf[status],
        subject,
        timeMs: clock.wallMs(),
        details: { epoch, reason: "reconciled" },
      },
      { namespace },
    );
  }
}

export type Reconcile = ReturnType<typeof createReconcile>;
