import { AppError } from "../../shared/errors.ts";
import type { Clock, Ids, PasswordHasher, Randomness } from "../../shared/ports/platform.ts";
import type { SessionClient, SessionStore } from "../../shared/ports/session-store.ts";
import type { UserStore } from "../../shared/ports/user-store.ts";
import type { NoteSignIn } from "../audit/sign-ins.ts";
import type { IssueToken } from "../tokens/issue-token.ts";
import type { PrepareTokens } from "../tokens/prepare-tokens.ts";
import { normaliseEmail } from "./email.ts";
import { isHashable } from "./password.ts";
import { createRefreshToken } from "./refresh-token.ts";
import { type IdleLifetime, sessionEndMs } from "./session-end.ts";
import type { TokenGrant } from "./token-grant.ts";

export interface SignInDeps extends IdleLifetime {
  readonly users: Pick<UserStore, "findByEmail">;
  readonly sessions: Pick<SessionStore, "createSession">;
  readonly issueToken: IssueToken;
  readonly prepareTokens: PrepareTokens;
  readonly hasher: PasswordHasher;
  /** `hashOfNobody`, made once at start. */
  readonly nobodysHash: string;
  readonly refreshLifetimeSeconds: number;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly randomness: Randomness;
  readonly noteSignIn: NoteSignIn;
}

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

export interface SignInRequest extends Credentials {
  readonly client?: SessionClient;
  readonly requestId?: string | undefined;
}

/**
 * Starts a session. A wrong password, an unknown and a deactivated user get the same answer after the same work:
 * one hash. Throws `credentials-invalid`.
 */
export function createSignIn(deps: SignInDeps) {
  const { users, sessions, clock, ids, randomness } = deps;

  return async function signIn(request: SignInRequest): Promise<TokenGrant> {
    const { email, password, requestId, client } = request;
    // Before the user is read: the token then expires before a deactivation that this read missed plus its lifetime.
    const readAtMs = clock.wallMs();
    await deps.prepareTokens();
    const user = isHashable(password) ? await users.findByEmail(normaliseEmail(email)) : null;
    const matches = await deps.hasher.verify(
      user?.passwordHash ?? deps.nobodysHash,
      isHashable(password) ? password : "",
    );
    if (!user || !matches || user.status !== "active") {
      const failure = !user ? "unknown-user" : matches ? "not-active" : "wrong-password";
      deps.noteSignIn({ subject: user?.id ?? null, failure, requestId });
      throw new AppError("credentials-invalid", "Check the e-mail address and the password.");
    }
    const sid = ids.uuid();
    const refreshToken = createRefreshToken(sid, randomness);
    const expiresAtMs = readAtMs + deps.refreshLifetimeSeconds * 1_000;
    await sessions.createSession({
      sid,
      subject: user.id,
      epoch: user.epoch,
      refreshHash: refreshToken.hash,
      createdAtMs: readAtMs,
      expiresAtMs,
      ...(client !== undefined && { client }),
    });
    const issued = await deps.issueToken({ user, sid, epoch: user.epoch, readAtMs });
    deps.noteSignIn({ subject: user.id, failure: null, sid, requestId });
    return {
      accessToken: issued.accessToken,
      expiresInSeconds: issued.expiresInSeconds,
      refreshToken: refreshToken.text,
      refreshExpiresInSeconds:
        (sessionEndMs({ expiresAtMs, lastUsedAtMs: readAtMs }, deps) - readAtMs) / 1_000,
    };
  };
}

export type SignIn = ReturnType<typeof createSignIn>;
