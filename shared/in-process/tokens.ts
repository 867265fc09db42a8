import type { MarkedPage, MarkedToken, TokenSelection } from "../ports/ledger.ts";
import type { TokenRecord } from "../ports/session-store.ts";

/** The recorded tokens, found by subject, session and mark without a scan. */
export class TokenTable {
  readonly #byJti = new Map<string, TokenRecord>();
  readonly #bySubject = new Index();
  readonly #bySession = new Index();
  readonly #byMark = new Index();

  record(token: TokenRecord): void {
    if (this.#byJti.has(token.jti)) throw new Error("two tokens got one id");
    this.#byJti.set(token.jti, token);
    this.#bySubject.add(token.subject, token.jti);
    this.#bySession.add(token.sid, token.jti);
    if (token.revokedBy !== null) this.#byMark.add(token.revokedBy, token.jti);
  }

  find(jti: string): TokenRecord | null {
    return this.#byJti.get(jti) ?? null;
  }

  mark(eventId: string, selection: TokenSelection, limit: number): number {
    let marked = 0;
    for (const token of this.#meantBy(selection)) {
      if (marked >= limit) break;
      if (token.revokedBy !== null || token.expiresAtMs <= selection.nowMs) continue;
      this.#byJti.set(token.jti, { ...token, revokedBy: eventId });
      this.#byMark.add(eventId, token.jti);
      marked += 1;
    }
    return marked;
  }

  listMarked(eventIds: readonly string[], { expiresAfterMs, after = "", limit }: MarkedPage): MarkedToken[] {
    return [...new Set(eventIds)]
      .flatMap((eventId) => this.#all(this.#byMark.get(eventId)))
      .filter(({ jti, expiresAtMs }) => jti > after && expiresAtMs > expiresAfterMs)
      .toSorted((a, b) => (a.jti < b.jti ? -1 : 1))
      .slice(0, limit)
      .flatMap(({ jti, expiresAtMs, revokedBy }) =>
        revokedBy === null ? [] : [{ jti, expiresAtMs, revokedBy }],
      );
  }

  countMarked(eventId: string): number {
    return this.#byMark.get(eventId).size;
  }

  lastExpiryMs(subject: string): number | null {
    const tokens = this.#all(this.#bySubject.get(subject));
    return tokens.length === 0 ? null : tokens.reduce((last, token) => Math.max(last, token.expiresAtMs), 0);
  }

  purge(expiredBeforeMs: number, limit: number): number {
    let gone = 0;
    for (const token of this.#byJti.values()) {
      if (gone >= limit) break;
      if (token.expiresAtMs >= expiredBeforeMs) continue;
      this.#remove(token);
      gone += 1;
    }
    return gone;
  }

  #remove({ jti, subject, sid, revokedBy }: TokenRecord): void {
    this.#byJti.delete(jti);
    this.#bySubject.remove(subject, jti);
    this.#bySession.remove(sid, jti);
    if (revokedBy !== null) this.#byMark.remove(revokedBy, jti);
  }

  #meantBy(selection: TokenSelection): TokenRecord[] {
    if (selection.by === "jti") return this.#all([selection.jti]);
    if (selection.by === "session") return this.#all(this.#bySession.get(selection.sid));
    const ofSubject = this.#all(this.#bySubject.get(selection.subject));
    return selection.by === "epoch"
      ? ofSubject.filter(({ epoch }) => epoch < selection.belowEpoch)
      : ofSubject.filter(({ issuedAtMs }) => issuedAtMs <= selection.issuedAtOrBeforeMs);
  }

  #all(jtis: Iterable<string>): TokenRecord[] {
    return [...jtis].flatMap((jti) => this.#byJti.get(jti) ?? []);
  }
}

const nothing: ReadonlySet<string> = new Set();

class Index {
  readonly #entries = new Map<string, Set<string>>();

  get(key: string): ReadonlySet<string> {
    return this.#entries.get(key) ?? nothing;
  }

  add(key: string, value: string): void {
    const values = this.#entries.get(key);
    if (values === undefined) this.#entries.set(key, new Set([value]));
    else values.add(value);
  }

  remove(key: string, value: string): void {
    const values = this.#entries.get(key);
    values?.delete(value);
    if (values?.size === 0) this.#entries.delete(key);
  }
}
