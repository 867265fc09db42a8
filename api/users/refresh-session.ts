import { AppError } from "../../shared/errors.ts";
import type { Randomness } from "../../shared/ports/platform.ts";
import type { Session, SessionStore } from "../../shared/ports/session-store.ts";
import type { User } from "../../shared/ports/user-store.ts";
import type { IssueToken } from "../tokens/issue-token.ts";
import type { PrepareTokens } from "../tokens/prepare-tokens.ts";
import { createEndSession, type EndSessionDeps } from "./end-session.ts";
import {
  createNextRefreshToken,
  isOfSession,
  parseRefreshToken,
  type RefreshToken,
} from "./refresh-token.ts";
import type { TokenGrant } from "./token-grant.ts";

export interface RefreshSessionDeps extends EndSessionDeps {
  readonly sessions: Pick<SessionStore, "findSession" | "rotate" | "endSession">;
  readonly issueToken: IssueToken;
  readonly prepareTokens: PrepareTokens;
  readonly randomness: Randomness;
}

export interface RefreshRequest {
  readonly refreshToken: string;
  readonly requestId?: string | undefined;
}

type Refused = RefreshToken & Pick<RefreshRequest, "requestId">;

/**
 * Spends a refresh token. The new access token carries the session's epoch, so that a sign-out everywhere kills it
 * whenever it was minted. It is recorded first and given out last: a sign-out ends the session and then looks up its
 * tokens, so either it finds this one, or the rotation, which an ended session refuses, keeps it back.
 * Throws `refresh-token-invalid`; a token that was spent before ends its session (RFC 9700 §4.14.2).
 */
export function createRefreshSession(deps: RefreshSessionDeps) {
  const { sessions, users, clock, randomness } = deps;
  const endSession = createEndSession(deps);

  async function requireUser(session: Session): Promise<User> {
    const user = await users.findById(session.subject);
    if (user?.status !== "active" || session.epoch < user.epoch) throw invalid();
    return user;
  }

  /** Ends the session; of one that has ended, sees to it that it was said. */
  async function refuse(session: Session, { hash, requestId }: Refused): Promise<never> {
    const isSpent = session.refreshHash !== hash;
    const details = isSpent ? { reason: "a spent refresh token was used again", requestId } : { requestId };
    await endSession(session.subject, session.sid, details);
    throw invalid();
  }

  return async function refreshSession({ refreshToken, requestId }: RefreshRequest): Promise<TokenGrant> {
    // Before the user is read, as at sign-in.
    const readAtMs = clock.wallMs();
    await deps.prepareTokens();
    const given = parseRefreshToken(refreshToken);
    const session = given && (await sessions.findSession(given.sid));
    if (!session || session.expiresAtMs <= readAtMs) throw invalid();
    if (!isOfSession(given, session.refreshHash)) throw invalid();
    if (session.refreshHash !== given.hash || session.endedAtMs !== null)
      return refuse(session, { ...given, requestId });
    const user = await requireUser(session);
    const issued = await deps.issueToken({ user, sid: session.sid, epoch: session.epoch, readAtMs });
    await requireUser(session);
    const next = createNextRefreshToken(given, randomness);
    const rotation = { fromHash: given.hash, toHash: next.hash, usedAtMs: readAtMs };
    if (!(await sessions.rotate(session.sid, rotation))) {
      const now = await sessions.findSession(session.sid);
      return now ? refuse(now, { ...given, requestId }) : Promise.reject(invalid());
    }
    return {
      accessToken: issued.accessToken,
      expiresInSeconds: issued.expiresInSeconds,
      refreshToken: next.text,
      refreshExpiresInSeconds: Math.floor((session.expiresAtMs - readAtMs) / 1000),
    };
  };
}

export type RefreshSession = ReturnType<typeof createRefreshSession>;

function invalid(): AppError {
  return new AppError("refresh-token-invalid", "Sign in again.");
}
