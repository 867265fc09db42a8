import type { NewSession, Rotation, Session, TokenRecord } from "../ports/session-store.ts";

/** Every public method is one atomic step, but for `tokens`, which the ledger reads and marks. */
export class InProcessSessions {
  readonly #sessions = new Map<string, Session>();
  readonly #tokens = new Map<string, TokenRecord>();

  get tokens(): Map<string, TokenRecord> {
    return this.#tokens;
  }

  createSession(session: NewSession): void {
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

  recordToken(token: TokenRecord): void {
    this.#tokens.set(token.jti, token);
  }

  findToken(jti: string): TokenRecord | null {
    return this.#tokens.get(jti) ?? null;
  }

  purgeTokens(expiredBeforeMs: number, limit: number): number {
    return purge(this.#tokens, expiredBeforeMs, limit);
  }

  purgeSessions(expiredBeforeMs: number, limit: number): number {
    return purge(this.#sessions, expiredBeforeMs, limit);
  }
}

function purge<T extends { readonly expiresAtMs: number }>(
  table: Map<string, T>,
  expiredBeforeMs: number,
  limit: number,
): number {
  const gone = [...table].filter(([, { expiresAtMs }]) => expiresAtMs < expiredBeforeMs).slice(0, limit);
  for (const [key] of gone) table.delete(key);
  return gone.length;
}
