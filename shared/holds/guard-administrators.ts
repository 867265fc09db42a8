import { AppError, isRetriable } from "../errors.ts";
import type { Clock, Ids } from "../ports/platform.ts";
import type { Removal, Safeguards } from "../ports/safeguards.ts";
import type { User, UserStore } from "../ports/user-store.ts";

export interface GuardAdministratorsDeps {
  readonly users: Pick<UserStore, "findById" | "hasOtherAdministrator" | "raiseRevision">;
  readonly safeguards: Pick<Safeguards, "readRemoval" | "beginRemoval" | "endRemoval">;
  readonly clock: Pick<Clock, "wallMs">;
  readonly ids: Ids;
}

/** Makes the change, on the condition that the user still has the revision. */
export type GuardedChange<T> = (condition: { readonly revision?: number }) => Promise<T>;

/** Longer than a removal takes; one that shows for longer was broken off, or its process is suspended. */
const brokenOffAfterMs = 10_000;

/**
 * Keeps one active administrator. No write spans two users, so administrators are taken out of service one at a time:
 * the guard document names the one, and whoever holds it sees whether another is left. A removal that was broken off is
 * taken over: its user's revision is raised first, so that a process that was only suspended changes him no more; that
 * needs no clock to be right, which only says how long one waits. `user` is as he was read before.
 *
 * Throws `last-administrator`, and `administrator-busy` while another one is being removed.
 */
export function createGuardAdministrators({ users, safeguards, clock, ids }: GuardAdministratorsDeps) {
  return async function guardAdministrators<T>(user: User, change: GuardedChange<T>): Promise<T> {
    if (user.status !== "active" || !user.roles.includes("admin")) return change({});
    const claim = ids.uuid();
    const present = await safeguards.readRemoval();
    if (present !== null && !(await isOver(present))) throw busy();
    const removal = { claim, userId: user.id, beganAtMs: clock.wallMs() };
    if (!(await safeguards.beginRemoval(removal, present))) throw busy();
    try {
      if (!(await users.hasOtherAdministrator(user.id))) throw lastAdministrator();
      return await change({ revision: user.revision });
    } finally {
      await end(claim);
    }
  };

  async function isOver({ userId, beganAtMs }: Removal): Promise<boolean> {
    if ((await users.findById(userId))?.status !== "active") return true;
    if (Math.abs(clock.wallMs() - beganAtMs) < brokenOffAfterMs) return false;
    await users.raiseRevision(userId);
    return true;
  }

  /** What was done is done, also if that fails: it counts as broken off then. */
  async function end(claim: string): Promise<void> {
    try {
      await safeguards.endRemoval(claim);
    } catch (error) {
      if (!isRetriable(error)) throw error;
    }
  }
}

export type GuardAdministrators = ReturnType<typeof createGuardAdministrators>;

function busy(): AppError {
  return new AppError("administrator-busy", "Another administrator is being removed; try again shortly.", {
    retryAfterSeconds: 1,
  });
}

function lastAdministrator(): AppError {
  return new AppError(
    "last-administrator",
    "This is the last active administrator; create or reactivate another one first.",
  );
}
