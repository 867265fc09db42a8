import type { DatedAhead, User } from "../../shared/ports/user-store.ts";
import { changesStatus, type UserState } from "../../shared/revocation/user-state.ts";
import type { ReceivedEvent } from "./received-event.ts";

/** Of one user. More wait for their time only where a source's clock is hours ahead; the farthest are kept. */
const keptAtMost = 20;

/** Whether the event was handled before, and may count from a later time now than it did then. */
export function isAhead({ datedAhead = [] }: User, { eventId }: ReceivedEvent): boolean {
  return datedAhead.some((kept) => kept.eventId === eventId);
}

export interface KeptAhead {
  readonly datedAhead: readonly DatedAhead[];
  readonly isAdded: boolean;
}

/** What is to be kept once `to` is the user's state: nothing that comes too late for it anyway. */
export function aheadAfter(
  { datedAhead: before = [] }: User,
  to: UserState,
  { eventId, event, effectiveAtMs }: ReceivedEvent,
): KeptAhead {
  const { timeMs } = event;
  const added = { eventId, timeMs, changesStatus: changesStatus(event.type) };
  const isAdded = timeMs > effectiveAtMs && mayCount(added, to);
  const datedAhead = [...before.filter((kept) => mayCount(kept, to)), ...(isAdded ? [added] : [])]
    .toSorted((a, b) => b.timeMs - a.timeMs)
    .slice(0, keptAtMost);
  return { datedAhead, isAdded };
}

/** At a tie, too: there the stricter state wins. None changes somebody who is deleted. */
function mayCount(
  { timeMs, changesStatus: isOfStatus }: DatedAhead,
  { status, statusChangedAtMs, epochRaisedAtMs }: UserState,
): boolean {
  return status !== "deleted" && timeMs >= (isOfStatus ? statusChangedAtMs : epochRaisedAtMs);
}
