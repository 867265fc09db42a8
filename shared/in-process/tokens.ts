import type { MarkedPage, MarkedRange, MarkedToken, TokenSelection } from "../ports/ledger.ts";
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

  listMarked(eventIds: readonly string[], page: MarkedPage): MarkedToken[] {
    return [...new Set(eventIds)]
      .flatMap((eventId) => this.#markedBy(eventId, page))
      .toSorted((a, b) => (a.jti < b.jti ? -1 : 1))
      .slice(0, page.limit);
  }

  listMarkedByOthers(
    eventId: string,
    selection: TokenSelection,
    { after = "", limit }: Omit<MarkedPage, "expiresAfterMs">,
  ): MarkedToken[] {
    return [...this.#meantBy(selection)]
      .flatMap(({ jti, expiresAtMs, revokedBy }) => {
        const isLeftOut = revokedBy === null || revokedBy === eventId;
        return isLeftOut || expiresAtMs <= selection.nowMs || jti <= after
          ? []
          : [{ jti, expiresAtMs, revokedBy }];
      })
      .toSorted((a, b) => (a.jti < b.jti ? -1 : 1))
      .slice(0, limit);
  }

  listMarkedBetween({ from, to, expiresAfterMs, limit }: MarkedRange): MarkedToken[] | null {
    const eventIds = this.#byMark.keys().filter((eventId) => eventId >= from && eventId <= to);
    const tokens = eventIds.flatMap((eventId) => this.#all(this.#byMark.get(eventId)));
    if (tokens.length > limit) return null;
    return tokens.flatMap(({ jti, expiresAtMs, revokedBy }) =>
      revokedBy === null || expiresAtMs <= expiresAfterMs ? [] : [{ jti, expiresAtMs, revokedBy }],
    );
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

  #markedBy(eventId: string, { expiresAfterMs, after = "", limit }: MarkedPage): MarkedToken[] {
    const jtis = this.#byMark.sorted(eventId);
    const found: MarkedToken[] = [];
    for (let i = firstAfter(jtis, after); i < jtis.length && found.length < limit; i += 1) {
      const token = this.#byJti.get(jtis[i] ?? "");
      if (token === undefined || token.revokedBy === null || token.expiresAtMs <= expiresAfterMs) continue;
      found.push({ jti: token.jti, expiresAtMs: token.expiresAtMs, revokedBy: token.revokedBy });
    }
    return found;
  }

  /** Lazily: whoever marks takes a few of very many. */
  *#meantBy(selection: TokenSelection): Generator<TokenRecord> {
    for (const jti of this.#namedBy(selection)) {
      const token = this.#byJti.get(jti);
      if (token !== undefined && isMeant(token, selection)) yield token;
    }
  }

  #namedBy(selection: TokenSelection): Iterable<string> {
    if (selection.by === "jti") return [selection.jti];
    if (selection.by === "session") return this.#bySession.get(selection.sid);
    return this.#bySubject.get(selection.subject);
  }

  #all(jtis: Iterable<string>): TokenRecord[] {
    return [...jtis].flatMap((jti) => this.#byJti.get(jti) ?? []);
  }
}

function isMeant(token: TokenRecord, selection: TokenSelection): boolean {
  if (selection.by === "epoch") return token.epoch < selection.belowEpoch;
  return selection.by !== "issued-at" || token.issuedAtMs <= selection.issuedAtOrBeforeMs;
}

/** Where the first text stands that comes after `after`. */
function firstAfter(sorted: readonly string[], after: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? "") > after) high = middle;
    else low = middle + 1;
  }
  return low;
}

const nothing: ReadonlySet<string> = new Set();

class Index {
  readonly #entries = new Map<string, Set<string>>();
  /** Of those that did not change since they were asked for in order. */
  readonly #sorted = new Map<string, readonly string[]>();

  get(key: string): ReadonlySet<string> {
    return this.#entries.get(key) ?? nothing;
  }

  sorted(key: string): readonly string[] {
    const known = this.#sorted.get(key);
    if (known !== undefined) return known;
    const values = [...this.get(key)].toSorted();
    if (values.length > 0) this.#sorted.set(key, values);
    return values;
  }

  keys(): string[] {
    return [...this.#entries.keys()];
  }

  add(key: string, value: string): void {
    this.#sorted.delete(key);
    const values = this.#entries.get(key);
    if (values === undefined) this.#entries.set(key, new Set([value]));
    else values.add(value);
  }

  remove(key: string, value: string): void {
    this.#sorted.delete(key);
    const values = this.#entries.get(key);
    values?.delete(value);
    if (values?.size === 0) this.#entries.delete(key);
  }
}
