import type { GuardAdministrators } from "../../shared/holds/guard-administrators.ts";
import type { Clock } from "../../shared/ports/platform.ts";
import type { KeptDeactivation, User, UserStore } from "../../shared/ports/user-store.ts";
import { changeFromUpstream, type UserChange, type UserState } from "../../shared/revocation/user-state.ts";
import { aheadAfter, isAhead } from "./dated-ahead.ts";
import type { ReceivedEvent } from "./received-event.ts";

export interface UpstreamChange {
  /** As it stands afterwards. */
  readonly user: User;
  /** False when the event came too late to change the user, or has changed him before. */
  readonly changed: boolean;
}

export interface ChangeUserDeps {
  readonly users: Pick<UserStore, "findById" | "change">;
  readonly clock: Clock;
  readonly guardAdministrators: GuardAdministrators;
}

/** Changes the user for an upstream event, by its effective time. Throws as the guard does. */
export function createChangeUser({ users, clock, guardAdministrators }: ChangeUserDeps) {
  return async function changeUser(
    received: ReceivedEvent,
    change: UserChange,
    found: User,
  ): Promise<UpstreamChange> {
    let user = found;
    // Ends: each turn that was lost to another change moved the user's state on.
    for (;;) {
      if (isAhead(user, received)) return { user, changed: false };
      const to = changeFromUpstream(user, change, received.effectiveAtMs);
      const kept = aheadAfter(user, to ?? user, received);
      if (to === null && !kept.isAdded) return { user, changed: false };
      const becomesDeactivated = to?.status === "deactivated" && user.status !== "deactivated";
      const { id } = user;
      const wanted = {
        from: stateOf(user),
        to: to ?? stateOf(user),
        changedAtMs: clock.wallMs(),
        ...(user.datedAhead === undefined && !kept.isAdded ? {} : { datedAhead: kept.datedAhead }),
        ...(becomesDeactivated ? { deactivation: deactivationOf(received) } : {}),
      };
      const changed =
        to === null || to.status === "active"
          ? await users.change(id, wanted)
          : await guardAdministrators(user, (condition) => users.change(id, { ...wanted, ...condition }));
      if (changed !== null) return { user: changed, changed: to !== null };
      const present = await users.findById(user.id);
      // Nothing of his is left that could be cut off.
      if (present === null) return { user, changed: false };
      user = present;
    }
  };
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
