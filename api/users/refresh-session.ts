import { AppError } from "../../shared/errors.ts";
import type { Randomness } from "../../shared/ports/platform.ts";
import type { Session, SessionClient, SessionStore } from "../../shared/ports/session-store.ts";
import type { User } from "../../shared/ports/user-store.ts";
import type { IssueToken } from "../tokens/issue-token.ts";
import type { PrepareTokens } from "../tokens/prepare-tokens.ts";
import { createEndSession, type EndSessionDeps } from "./end-session.ts";
import {
  createNextRefreshToken,
  isOfSession,
  parseRefreshToken,
  type RefreshTokenText,
} from "./refresh-token.ts";
import { openGrant, sealGrant } from "./sealed-grant.ts";
import { type IdleLifetime, sessionEndMs } from "./session-end.ts";
import type { TokenGrant } from "./token-grant.ts";

export interface RefreshSessionDeps extends EndSessionDeps, IdleLifetime {
  readonly sessions: Pick<SessionStore, "findSession" | "rotate" | "endSession">;
  readonly issueToken: IssueToken;
  readonly prepareTokens: PrepareTokens;
  readonly randomness: Randomness;
  /** For how long a call that is made again gets the same answer; 0: never. */
  readonly refreshRetrySeconds: number;
}

export interface RefreshRequest {
  readonly refreshToken: string;
  readonly client?: SessionClient;
  readonly requestId?: string | undefined;
}

type Given = RefreshTokenText & Pick<RefreshRequest, "requestId">;

/**
 * Spends a refresh token. The new access token carries the session's epoch, so that a sign-out everywhere kills it
 * whenever it was minted. It is recorded first and given out last: a sign-out ends the session and then looks up its
 * tokens, so either it finds this one, or the rotation, which an ended session refuses, keeps it back.
 *
 * Throws `refresh-token-invalid`; a token that was spent before ends its session (RFC 9700 §4.14.2), unless it was the
 * last one and is sent again at once: then the answer was lost on its way, and is given again, whichever instance it is.
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
  async function refuse(session: Session, { hash, requestId }: Given): Promise<never> {
    const isSpent = session.refreshHash !== hash;
    const details = isSpent ? { reason: "a spent refresh token was used again", requestId } : { requestId };
    await endSession({ userId: session.subject, sid: session.sid }, details);
    throw invalid();
  }

  /** The answer that the same call got, as long as nobody has used what it gave out. */
  function answerAgain(session: Session, given: RefreshTokenText): TokenGrant | null {
    const { answer, endedAtMs, lastUsedAtMs } = session;
    if (answer?.spentHash !== given.hash || endedAtMs !== null) return null;
    // Either way: a clock that was set back must not make it longer.
    const agoMs = Math.abs(clock.wallMs() - lastUsedAtMs);
    return agoMs < deps.refreshRetrySeconds * 1_000 ? openGrant(answer.sealed, given) : null;
  }

  /** By a token that is not the present one, or of a session that has ended. */
  async function repeatOrRefuse(session: Session, given: Given): Promise<TokenGrant> {
    const grant = answerAgain(session, given);
    if (grant === null) return refuse(session, given);
    await requireUser(session);
    return grant;
  }

  async function rotate(
    session: Session,
    { given, accessToken, expiresInSeconds, client }: Rotating,
  ): Promise<TokenGrant | null> {
    const next = createNextRefreshToken(given, randomness);
    const usedAtMs = clock.wallMs();
    const endMs = sessionEndMs({ ...session, lastUsedAtMs: usedAtMs }, deps);
    const grant = {
      accessToken,
      expiresInSeconds,
      refreshToken: next.text,
      refreshExpiresInSeconds: Math.max(0, Math.floor((endMs - usedAtMs) / 1_000)),
    };
    const isKept = deps.refreshRetrySeconds > 0;
    const rotated = await sessions.rotate(session.sid, {
      fromHash: given.hash,
      toHash: next.hash,
      usedAtMs,
      ...(client !== undefined && { client }),
      ...(isKept && { sealedAnswer: sealGrant(grant, given, randomness) }),
    });
    return rotated && grant;
  }

  return async function refreshSession(request: RefreshRequest): Promise<TokenGrant> {
    const { refreshToken, client, requestId } = request;
    // Before the user is read, as at sign-in.
    const readAtMs = clock.wallMs();
    await deps.prepareTokens();
    const given = parseRefreshToken(refreshToken);
    const session = given && (await sessions.findSession(given.sid));
    if (!session || sessionEndMs(session, deps) <= readAtMs) throw invalid();
    if (!isOfSession(given, session.refreshHash)) throw invalid();
    if (session.refreshHash !== given.hash || session.endedAtMs !== null) {
      return repeatOrRefuse(session, { ...given, requestId });
    }
    const user = await requireUser(session);
    const issued = await deps.issueToken({ user, sid: session.sid, epoch: session.epoch, readAtMs });
    await requireUser(session);
    const grant = await rotate(session, { ...issued, given, client });
    if (grant !== null) return grant;
    const now = await sessions.findSession(session.sid);
    return now ? repeatOrRefuse(now, { ...given, requestId }) : Promise.reject(invalid());
  };
}

export type RefreshSession = ReturnType<typeof createRefreshSession>;

interface Rotating {
  readonly given: RefreshTokenText;
  readonly accessToken: string;
  readonly expiresInSeconds: number;
  readonly client: SessionClient | undefined;
}

function invalid(): AppError {
  return new AppError("refresh-token-invalid", "Sign in again.");
}
