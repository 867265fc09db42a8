import type { Audit } from "../../shared/audit/audit.ts";
import { AppError } from "../../shared/errors.ts";
import { type EventDetails, ownSource, type QuashEvent } from "../../shared/events/event.ts";
import { sessionEndIdOf } from "../../shared/events/event-id.ts";
import type { Ledger } from "../../shared/ports/ledger.ts";
import type { Clock } from "../../shared/ports/platform.ts";
import type { SessionStore } from "../../shared/ports/session-store.ts";
import type { UserStore } from "../../shared/ports/user-store.ts";
import { createOwnEvent, type OwnEventDeps, type Publish } from "./own-event.ts";

export interface EndSessionDeps extends OwnEventDeps {
  readonly users: Pick<UserStore, "findById" | "appendEvent">;
  readonly sessions: Pick<SessionStore, "endSession">;
  readonly ledger: Pick<Ledger, "find">;
  readonly clock: Clock;
  readonly publish: Publish;
  readonly audit: Audit;
}

export interface SessionEnd {
  readonly userId: string;
  readonly sid: string;
  /** An administrator's never waits for the user's own events. */
  readonly isAdministrators?: boolean;
}

export interface EndedSession {
  readonly eventId: string;
  /** Null when it was said before. */
  readonly event: QuashEvent | null;
}

/** What the event says of it, and the request that asked for it, of which the event says nothing. */
export type SessionEndDetails = EventDetails & { readonly requestId?: string | undefined };

/** Beyond this, what a user does himself waits: his document stays small enough to be deactivated. */
export const maxOwnOutboxLength = 1000;

/**
 * Ends a session, then says so, in this order: whoever handles the event looks up the session's tokens, and none
 * may be given out after that. Both are done again for a session that has ended, since a failure may have come between
 * them; what has left the outbox is in the ledger, and is not said again. Throws `outbox-full` before anything is changed.
 */
export function createEndSession(deps: EndSessionDeps) {
  const { users, sessions, ledger, clock } = deps;

  return async function endSession(
    { userId, sid, isAdministrators = false }: SessionEnd,
    end: SessionEndDetails,
  ): Promise<EndedSession> {
    const { requestId, ...details } = end;
    const id = sessionEndIdOf(sid);
    const wasSaid = (await ledger.find(id))?.source === ownSource(deps.namespace);
    if (!wasSaid && !isAdministrators) await requireRoom(users, userId);
    const timeMs = clock.wallMs();
    await sessions.endSession(sid, timeMs);
    if (wasSaid) return { eventId: id, event: null };
    const event = createOwnEvent(deps, {
      id,
      type: "user.signed-out",
      subject: userId,
      timeMs,
      details: { ...details, sid },
    });
    if (!(await users.appendEvent(userId, event))) return { eventId: id, event };
    deps.publish({ userId, event });
    const { actor, reason } = details;
    const told = { actor, subject: userId, object: sid, reason, requestId, eventId: id };
    deps.audit.record({ action: "session.ended", ...told, eventType: event.type });
    return { eventId: id, event };
  };
}

export type EndSession = ReturnType<typeof createEndSession>;

/** Throws `outbox-full`. */
export async function requireRoom(users: Pick<UserStore, "findById">, userId: string): Promise<void> {
  const user = await users.findById(userId);
  if (!user || user.outboxLength < maxOwnOutboxLength) return;
  throw new AppError(
    "outbox-full",
    "Too many of this user's events wait to be published; try again shortly.",
    { retryAfterSeconds: 5 },
  );
}
