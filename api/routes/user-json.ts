import type { User } from "../../shared/ports/user-store.ts";

/** A user as callers see him. */
export function userJson(user: User) {
  return {
    id: user.id,
    email: user.email,
    roles: user.roles,
    status: user.status,
    epoch: user.epoch,
    external_ids: user.externalIds.map(({ iss, sub }) => ({ iss, sub })),
    created_at: new Date(user.createdAtMs).toISOString(),
    status_changed_at: new Date(user.statusChangedAtMs).toISOString(),
  };
}
