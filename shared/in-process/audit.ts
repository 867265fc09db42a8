import type { AuditPlace, AuditQuery, AuditRecord, ChainPlace, RegisterEntry } from "../ports/audit-store.ts";

type AuditPage = { readonly after?: ChainPlace; readonly limit: number };

/** Every public method is one atomic step. */
export class InProcessAudit {
  readonly #records = new Map<string, Map<number, AuditRecord>>();
  readonly #register = new Map<number, RegisterEntry>();

  append(records: readonly AuditRecord[]): void {
    for (const record of records) {
      const chain = this.#records.get(record.chain) ?? new Map<number, AuditRecord>();
      this.#records.set(record.chain, chain);
      if (!chain.has(record.seq)) chain.set(record.seq, record);
    }
  }

  list(query: AuditQuery): AuditRecord[] {
    return this.#all()
      .filter((record) => matches(record, query))
      .filter((record) => query.after === undefined || byNewest(query.after, record) < 0)
      .toSorted(byNewest)
      .slice(0, query.limit);
  }

  listByChain({ after, limit }: AuditPage): AuditRecord[] {
    return this.#all()
      .filter((record) => after === undefined || byChain(after, record) < 0)
      .toSorted(byChain)
      .slice(0, limit);
  }

  removeBelow({ chain, seq }: ChainPlace, limit: number): number {
    const records = this.#records.get(chain);
    const over = [...(records?.keys() ?? [])].filter((each) => each < seq).toSorted((a, b) => a - b);
    const gone = over.slice(0, limit);
    for (const each of gone) records?.delete(each);
    if (records?.size === 0) this.#records.delete(chain);
    return gone.length;
  }

  appendToRegister(entry: RegisterEntry): boolean {
    if (this.#register.has(entry.place)) return false;
    this.#register.set(entry.place, entry);
    return true;
  }

  lastOfRegister(): RegisterEntry | null {
    let last: RegisterEntry | null = null;
    for (const entry of this.#register.values()) if (entry.place > (last?.place ?? 0)) last = entry;
    return last;
  }

  listRegister({ after = 0, limit }: { readonly after?: number; readonly limit: number }): RegisterEntry[] {
    const entries = [...this.#register.values()].filter(({ place }) => place > after);
    return entries.toSorted((a, b) => a.place - b.place).slice(0, limit);
  }

  removeFromRegister(below: number, limit: number): number {
    const over = [...this.#register.keys()].filter((place) => place < below).toSorted((a, b) => a - b);
    const gone = over.slice(0, limit);
    for (const place of gone) this.#register.delete(place);
    return gone.length;
  }

  #all(): AuditRecord[] {
    return [...this.#records.values()].flatMap((chain) => [...chain.values()]);
  }
}

function matches(record: AuditRecord, query: AuditQuery): boolean {
  const { actor, subject, action, eventId, fromMs = 0, toMs = Number.POSITIVE_INFINITY } = query;
  return (
    (actor === undefined || record.actor === actor) &&
    (subject === undefined || record.subject === subject) &&
    (action === undefined || record.action === action) &&
    (eventId === undefined || record.eventId === eventId) &&
    record.atMs >= fromMs &&
    record.atMs < toMs
  );
}

function byChain(one: ChainPlace, other: ChainPlace): number {
  if (one.chain !== other.chain) return one.chain < other.chain ? -1 : 1;
  return one.seq - other.seq;
}

function byNewest(one: AuditPlace, other: AuditPlace): number {
  return other.atMs - one.atMs || byChain(other, one);
}
