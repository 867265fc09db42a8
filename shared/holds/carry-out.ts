import { dependencyUnavailable } from "../errors.ts";
import { ownSource, type QuashEvent } from "../events/event.ts";
import type { LedgerRow } from "../ports/ledger.ts";
import type { Clock } from "../ports/platform.ts";
import type { KeptDeactivation, User, UserStore } from "../ports/user-store.ts";
import { changeOfOurs } from "../revocation/user-state.ts";
import type { GuardAdministrators } from "./guard-administrators.ts";
import { takesOutOfService } from "./hold-rule.ts";

export interface CarryOutDeps {
  readonly users: Pick<UserStore, "findById" | "change">;
  readonly guardAdministrators: GuardAdministrators;
  readonly clock: Pick<Clock, "wallMs">;
  readonly namespace: string;
}

export interface CarriedOut {
  readonly event: QuashEvent;
  /** Whether the user was changed by this call: then the event waits in his outbox. */
  readonly changed: boolean;
}

const maxAttempts = 100;

/**
 * Step 1 of the way of one of ours that was held and is confirmed: the user's new state and the event in one write.
 * Whoever confirms does it; a worker does it again if he died before. A user who is out of service already, or was put
 * back into it since, is not changed: the event stands for the epoch that he has then. Throws as the guard does.
 */
export function createCarryOut({ users, guardAdministrators, clock, namespace }: CarryOutDeps) {
  return async function carryOut(row: LedgerRow): Promise<CarriedOut> {
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const user = row.subject === null ? null : await users.findById(row.subject);
      const to = stateAfter(user, row);
      if (user === null || to === null) {
        return { event: eventOf(row, user?.epoch ?? 0, clock.wallMs()), changed: false };
      }
      const event = eventOf(row, to.epoch, Math.max(to.statusChangedAtMs, to.epochRaisedAtMs));
      const { status, epoch, statusChangedAtMs, epochRaisedAtMs } = user;
      const from = { status, epoch, statusChangedAtMs, epochRaisedAtMs };
      const kept = row.type === "user.deactivated" ? { deactivation: keptOf(row) } : {};
      const changed = await guardAdministrators(user, (condition) =>
        users.change(user.id, { from, to, event, ...condition, ...kept }),
      );
      if (changed !== null) return { event, changed: true };
    }
    throw dependencyUnavailable("mongodb", new Error(`another change came first ${maxAttempts} times`));
  };

  function stateAfter(user: User | null, { eventId, type }: LedgerRow) {
    if (user === null || !takesOutOfService(type)) return null;
    const wasDone = user.lastDeactivation?.eventId === eventId;
    return wasDone ? null : changeOfOurs(user, type, clock.wallMs());
  }

  function eventOf(row: LedgerRow, epoch: number, timeMs: number): QuashEvent {
    return {
      id: row.eventId,
      source: ownSource(namespace),
      type: row.type,
      timeMs,
      ...(row.subject === null ? {} : { subject: row.subject }),
      details: {
        ...(row.reason === null ? {} : { reason: row.reason }),
        ...(row.actor === null ? {} : { actor: row.actor }),
        epoch,
      },
    };
  }
}

export type CarryOut = ReturnType<typeof createCarryOut>;

function keptOf({ eventId, source, reason, requestedAtMs }: LedgerRow): KeptDeactivation {
  return {
    eventId,
    source,
    reason,
    requestedAtMs,
    appliedAtMs: null,
    enforcedAtMs: null,
    tokensRevoked: 0,
  };
}
