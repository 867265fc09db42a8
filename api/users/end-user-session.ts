import { AppError } from "../../shared/errors.ts";
import type { SessionStore } from "../../shared/ports/session-store.ts";
import { createEndSession, type EndedSession, type EndSessionDeps, type SessionEnd } from "./end-session.ts";

export interface EndUserSessionDeps extends EndSessionDeps {
  readonly sessions: Pick<SessionStore, "findSession" | "endSession">;
}

export interface EndUserSessionRequest extends SessionEnd {
  /** Who asks: the user himself, or an administrator. */
  readonly actor: string;
  readonly reason?: string | undefined;
  readonly requestId?: string | undefined;
}

/**
 * Ends one session of a user, with all its tokens. Idempotent as long as the session is kept. Throws `not-found` for one
 * that there is not, or that is another user's.
 */
export function createEndUserSession(deps: EndUserSessionDeps) {
  const endSession = createEndSession(deps);

  return async function endUserSession(request: EndUserSessionRequest): Promise<EndedSession> {
    const { actor, reason, requestId, ...end } = request;
    const session = await deps.sessions.findSession(end.sid);
    if (session?.subject !== end.userId) {
      throw new AppError("not-found", "This user has no session of this id.");
    }
    return endSession(end, { actor, requestId, ...(reason !== undefined && { reason }) });
  };
}

export type EndUserSession = ReturnType<typeof createEndUserSession>;
