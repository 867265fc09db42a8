import type { NewSession, Rotation, Session, TokenRecord } from "../ports/session-store.ts";
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

  rotate(sid: string, { fromHash, toHash, usedAtMs }: Rotation): Session | null {
    const session = this.#sessions.get(sid);
    if (session?.refreshHash !== fromHash || session.endedAtMs !== null) return null;
    const rotated = { ...session, refreshHash: toHash, lastUsedAtMs: usedAtMs };
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
