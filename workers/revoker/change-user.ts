import type { ExternalIdentity } from "../../shared/events/event.ts";
import type { KeptDeactivation, User, UserStore } from "../../shared/ports/user-store.ts";
import { changeFromUpstream, type UserChange, type UserState } from "../../shared/revocation/user-state.ts";
import type { ReceivedEvent } from "./received-event.ts";

export interface UpstreamChange {
  /** As it stands afterwards. */
  readonly user: User;
  /** False when the event came too late to change the user. */
  readonly changed: boolean;
}

/** Changes the user for an upstream event, by its effective time. Null when there is no such user. */
export function createChangeUser(users: UserStore) {
  return async function changeUser(
    received: ReceivedEvent,
    change: UserChange,
  ): Promise<UpstreamChange | null> {
    // Ends: each turn that was lost to another change moved the user's state on.
    for (;;) {
      const user = await find(received.event.subject, received.event.details.external);
      if (user === null) return null;
      const to = changeFromUpstream(user, change, received.effectiveAtMs);
      if (to === null) return { user, changed: false };
      const becomesDeactivated = to.status === "deactivated" && user.status !== "deactivated";
      const changed = await users.change(user.id, {
        from: stateOf(user),
        to,
        ...(becomesDeactivated ? { deactivation: deactivationOf(received) } : {}),
      });
      if (changed !== null) return { user: changed, changed: true };
    }
  };

  function find(subject: string | undefined, external: ExternalIdentity | undefined): Promise<User | null> {
    if (subject !== undefined) return users.findById(subject);
    return external === undefined ? Promise.resolve(null) : users.findByExternalIdentity(external);
  }
}

function stateOf({ status, epoch, statusChangedAtMs, epochRaisedAtMs }: User): UserState {
  return { status, epoch, statusChangedAtMs, epochRaisedAtMs };
}

function deactivationOf({ eventId, event, pendingRow }: ReceivedEvent): KeptDeactivation {
  return {
    eventId,
    source: event.source,
    reason: pendingRow.reason,
    requestedAtMs: pendingRow.requestedAtMs,
    appliedAtMs: null,
    enforcedAtMs: null,
    tokensRevoked: 0,
  };
}
