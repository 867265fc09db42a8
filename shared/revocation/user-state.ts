import type { EventType } from "../events/event.ts";

export type UserStatus = "active" | "deactivated" | "deleted";

/** What decides which of a user's tokens live. Neither time ever goes back, nor does the epoch. */
export interface UserState {
  readonly status: UserStatus;
  /** Tokens that carry a lower epoch are dead. */
  readonly epoch: number;
  readonly statusChangedAtMs: number;
  readonly epochRaisedAtMs: number;
}

/** What an event asks for, apart from `token.revoked`, which changes no user. */
export type UserChange = Exclude<EventType, "token.revoked">;

const strictness: Record<UserStatus, number> = { active: 0, deactivated: 1, deleted: 2 };
const statusAfter: Partial<Record<UserChange, UserStatus>> = {
  "user.deactivated": "deactivated",
  "user.reactivated": "active",
  "user.deleted": "deleted",
};

export function changesStatus(type: EventType): boolean {
  return type in statusAfter;
}

/**
 * Our own change, decided now: it takes the later of `nowMs` and one millisecond past the times that it moves.
 * Null when there is nothing to change (deactivating again, reactivating an active user, anything on a deleted one).
 */
export function changeOfOurs(state: UserState, change: UserChange, nowMs: number): UserState | null {
  const status = statusAfter[change];
  if (state.status === "deleted" || status === state.status) return null;
  const moved =
    status === undefined ? state.epochRaisedAtMs : Math.max(state.statusChangedAtMs, state.epochRaisedAtMs);
  return apply(state, change, Math.max(nowMs, moved + 1));
}

/**
 * An upstream change, ordered by its effective time. A change of status counts when it is later than the last
 * one (at a tie the stricter state wins); a raise of the epoch when it is later than the last raise.
 * Null when it came too late, or changes nothing.
 */
export function changeFromUpstream(
  state: UserState,
  change: UserChange,
  effectiveAtMs: number,
): UserState | null {
  if (state.status === "deleted") return null;
  const status = statusAfter[change];
  if (status === undefined) {
    return effectiveAtMs > state.epochRaisedAtMs ? apply(state, change, effectiveAtMs) : null;
  }
  const isTie = effectiveAtMs === state.statusChangedAtMs;
  const counts = isTie
    ? strictness[status] > strictness[state.status]
    : effectiveAtMs > state.statusChangedAtMs;
  return counts ? apply(state, change, effectiveAtMs) : null;
}

/**
 * Whether what an event meant may still live although it changed nothing: something newer is in force. At a tie it
 * was this very event, or one as strict, and everything older lies below the epoch that was raised then; except
 * where a reactivation, which raises none, set the time.
 */
export function cameLate(state: UserState, change: UserChange, effectiveAtMs: number): boolean {
  if (change === "user.reactivated") return false;
  if (statusAfter[change] !== undefined) return effectiveAtMs < state.statusChangedAtMs;
  if (effectiveAtMs !== state.epochRaisedAtMs) return effectiveAtMs < state.epochRaisedAtMs;
  return state.status === "active" && effectiveAtMs === state.statusChangedAtMs;
}

function apply(state: UserState, change: UserChange, atMs: number): UserState {
  const status = statusAfter[change];
  const epochRaisedAtMs = Math.max(state.epochRaisedAtMs, atMs);
  if (status === undefined) return { ...state, epoch: state.epoch + 1, epochRaisedAtMs };
  const raises = status !== "active" && status !== state.status;
  return {
    status,
    epoch: raises ? state.epoch + 1 : state.epoch,
    statusChangedAtMs: Math.max(state.statusChangedAtMs, atMs),
    epochRaisedAtMs,
  };
}
