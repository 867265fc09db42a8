import type { NewSession, Rotation, Session, SessionQuery, TokenRecord } from "../ports/session-store.ts";
import type { TokenTable } from "./tokens.ts";

/** Every public method is one atomic step. The tokens are shared with the ledger, which reads and marks them. */
export class InProcessSessions {
  readonly #sessions = new Map<string, Session>();
  readonly #tokens: TokenTable;

  constructor(tokens: TokenTable) {
    this.#tokens = tokens;
  }

  createSession(session: NewSession): void {
    if (this.#sessions.has(session.sid)) throw new Error("two sessions got one id");
    this.#sessions.set(session.sid, { ...session, lastUsedAtMs: session.createdAtMs, endedAtMs: null });
  }

  findSession(sid: string): Session | null {
    return this.#sessions.get(sid) ?? null;
  }

  listSessions({ subject, live, limit, after }: SessionQuery): Session[] {
    return [...this.#sessions.values()]
      .filter((session) => session.subject === subject && isLive(session, live))
      .filter((session) => after === undefined || newestFirst(session, after) > 0)
      .toSorted(newestFirst)
      .slice(0, limit);
  }

  rotate(sid: string, rotation: Rotation): Session | null {
    const session = this.#sessions.get(sid);
    if (session?.refreshHash !== rotation.fromHash || session.endedAtMs !== null) return null;
    const rotated = rotatedOf(session, rotation);
    this.#sessions.set(sid, rotated);
    return rotated;
  }

  endSession(sid: string, endedAtMs: number): boolean {
    const session = this.#sessions.get(sid);
    if (session === undefined) return false;
    this.#sessions.set(sid, { ...session, endedAtMs: session.endedAtMs ?? endedAtMs });
    return true;
  }

  endSessionsCreatedBy(subject: string, createdAtOrBeforeMs: number, endedAtMs: number): void {
    for (const session of this.#sessions.values()) {
      if (session.subject !== subject || session.createdAtMs > createdAtOrBeforeMs) continue;
      this.endSession(session.sid, endedAtMs);
    }
  }

  recordToken(token: TokenRecord): void {
    this.#tokens.record(token);
  }

  findTokens(jtis: readonly string[]): TokenRecord[] {
    return jtis.flatMap((jti) => this.findToken(jti) ?? []);
  }

  findToken(jti: string): TokenRecord | null {
    return this.#tokens.find(jti);
  }

  purgeTokens(expiredBeforeMs: number, limit: number): number {
    return this.#tokens.purge(expiredBeforeMs, limit);
  }

  purgeSessions(expiredBeforeMs: number, limit: number): number {
    let gone = 0;
    for (const { sid, expiresAtMs } of this.#sessions.values()) {
      if (gone >= limit) break;
      if (expiresAtMs >= expiredBeforeMs) continue;
      this.#sessions.delete(sid);
      gone += 1;
    }
    return gone;
  }
}

type Place = Pick<Session, "createdAtMs" | "sid">;

function newestFirst(a: Place, b: Place): number {
  return b.createdAtMs - a.createdAtMs || (a.sid < b.sid ? 1 : -1);
}

function isLive(session: Session, live: SessionQuery["live"]): boolean {
  return (
    session.endedAtMs === null &&
    session.epoch >= live.fromEpoch &&
    session.expiresAtMs > live.expiresAfterMs &&
    session.lastUsedAtMs > live.usedAfterMs
  );
}

function rotatedOf(session: Session, rotation: Rotation): Session {
  const { fromHash, toHash, usedAtMs, sealedAnswer } = rotation;
  const { sid, subject, epoch, createdAtMs, expiresAtMs, endedAtMs } = session;
  const answer = sealedAnswer === undefined ? null : { spentHash: fromHash, sealed: sealedAnswer };
  const client = rotation.client ?? session.client;
  return {
    sid,
    subject,
    epoch,
    createdAtMs,
    expiresAtMs,
    endedAtMs,
    refreshHash: toHash,
    lastUsedAtMs: usedAtMs,
    ...(client !== undefined && { client }),
    ...(answer !== null && { answer }),
  };
}
