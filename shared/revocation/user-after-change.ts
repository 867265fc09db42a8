import type { StateChange, User } from "../ports/user-store.ts";

const nobody = { email: "", passwordHash: "", roles: [], externalIds: [] } as const;

type UserButOutbox = Omit<User, "outboxLength">;

/** As the change leaves him, of whom it found `user`; one that deletes him leaves a tombstone. */
export function userAfterChange(user: UserButOutbox, change: StateChange): UserButOutbox {
  const { status, epoch, statusChangedAtMs, epochRaisedAtMs } = change.to;
  const { datedAhead: before = [], ...others } = user;
  const datedAhead = status === "deleted" ? [] : (change.datedAhead ?? before);
  return {
    ...others,
    ...(datedAhead.length === 0 ? {} : { datedAhead }),
    ...(status === "deleted" ? nobody : {}),
    status,
    epoch,
    statusChangedAtMs,
    epochRaisedAtMs,
    lastDeactivation: change.deactivation ?? user.lastDeactivation,
  };
}
