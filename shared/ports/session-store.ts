/**
 * Sessions, and the record of every token that left a process.
 *
 * Writes are acknowledged by a majority and the journal. `rotate` is one conditional update: of two calls with the
 * same refresh token one gets null. Errors: `dependency-unavailable` means "not known to have happened".
 */
export interface SessionStore {
  createSession(session: NewSession): Promise<void>;
  findSession(sid: string): Promise<Session | null>;
  /** Of one subject, the newest first (by creation, then id), after `after`. */
  listSessions(query: SessionQuery): Promise<Session[]>;
  /**
   * Replaces the hash `fromHash`, unless the session has ended or has another hash: then null. The answer takes the
   * place of the one before; without one, none is kept.
   */
  rotate(sid: string, rotation: Rotation): Promise<Session | null>;
  /** Ends the session; keeps the first time. False when there is none. */
  endSession(sid: string, endedAtMs: number): Promise<boolean>;

  /** Ends the subject's sessions that were created at or before the time; those that have ended keep their time. */
  endSessionsCreatedBy(subject: string, createdAtOrBeforeMs: number, endedAtMs: number): Promise<void>;

  /** Written before the token leaves the process. */
  recordToken(token: TokenRecord): Promise<void>;
  findToken(jti: string): Promise<TokenRecord | null>;
  /** Those that there are, in no promised order. */
  findTokens(jtis: readonly string[]): Promise<TokenRecord[]>;

  /** Removes tokens that expired before the time; how many went. */
  purgeTokens(expiredBeforeMs: number, limit: number): Promise<number>;
  /** Removes sessions that expired before the time; how many went. */
  purgeSessions(expiredBeforeMs: number, limit: number): Promise<number>;
}

export interface NewSession {
  readonly sid: string;
  readonly subject: string;
  /** The user's epoch at sign-in: every token of the session carries it. */
  readonly epoch: number;
  /** What is stored in the place of the refresh token. */
  readonly refreshHash: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly client?: SessionClient;
}

/** Where a session was used from: what its holder knows it again by. Never trusted. */
export interface SessionClient {
  readonly address?: string;
  readonly agent?: string;
}

export interface Session extends NewSession {
  readonly lastUsedAtMs: number;
  readonly endedAtMs: number | null;
  /** Of the last rotation. */
  readonly answer?: KeptAnswer;
}

/** What a rotation was answered with, for the holder of the token that it spent. */
export interface KeptAnswer {
  readonly spentHash: string;
  /** Opened by nothing but the spent token. */
  readonly sealed: string;
}

export interface SessionQuery {
  readonly subject: string;
  /** Those that have not ended, are of this epoch or a later one, expire later and were used later. */
  readonly live: {
    readonly fromEpoch: number;
    readonly expiresAfterMs: number;
    readonly usedAfterMs: number;
  };
  readonly limit: number;
  readonly after?: Pick<Session, "createdAtMs" | "sid">;
}

export interface Rotation {
  readonly fromHash: string;
  readonly toHash: string;
  readonly usedAtMs: number;
  /** Where from; the place before stays when it is left out. */
  readonly client?: SessionClient;
  readonly sealedAnswer?: string;
}

export interface TokenRecord {
  readonly jti: string;
  readonly subject: string;
  readonly sid: string;
  readonly epoch: number;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  /** The event that revoked it; null while it lives. */
  readonly revokedBy: string | null;
  /** What signed it; missing in records from before it was kept. */
  readonly key?: TokenKey;
}

/** A kid may be given anew, the thumbprint (RFC 7638) says which key it was. */
export interface TokenKey {
  readonly kid: string;
  readonly alg: string;
  readonly thumbprint: string;
}
