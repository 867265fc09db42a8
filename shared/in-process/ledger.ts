import type {
  AppliedNote,
  EnforcedNote,
  Fence,
  LedgerQuery,
  LedgerRow,
  MarkedPage,
  MarkedToken,
  PendingRow,
  TokenSelection,
} from "../ports/ledger.ts";
import type { Longest } from "../ports/revocation-store.ts";
import type { TokenRecord } from "../ports/session-store.ts";

interface TokenTable {
  readonly tokens: Map<string, TokenRecord>;
}

const nothingLong: Longest = { tokenLifetimeSeconds: 0, maxStalenessMs: 0 };

/** Every public method is one atomic step. */
export class InProcessLedger {
  readonly #rows = new Map<string, LedgerRow>();
  readonly #table: TokenTable;
  #fence: Fence | null = null;

  constructor(table: TokenTable) {
    this.#table = table;
  }

  insertPending(rows: readonly PendingRow[]): void {
    for (const row of rows) {
      if (this.#rows.has(row.eventId)) continue;
      this.#rows.set(row.eventId, {
        ...row,
        status: "pending",
        untilMs: null,
        unrecorded: false,
        appliedAtMs: null,
        incarnation: null,
        position: null,
        enforcedAtMs: null,
        tokensRevoked: 0,
        instances: [],
      });
    }
  }

  find(eventId: string): LedgerRow | null {
    return this.#rows.get(eventId) ?? null;
  }

  findMany(eventIds: readonly string[]): LedgerRow[] {
    return eventIds.flatMap((eventId) => this.#rows.get(eventId) ?? []);
  }

  list({ limit, after, subject, jti }: LedgerQuery): LedgerRow[] {
    return this.#all()
      .filter((row) => subject === undefined || row.subject === subject)
      .filter((row) => jti === undefined || row.jti === jti)
      .filter((row) => after === undefined || isNewerFirst(after, row))
      .toSorted((a, b) => (isNewerFirst(a, b) ? -1 : 1))
      .slice(0, limit);
  }

  noteApplied(eventId: string, note: AppliedNote): void {
    const row = this.#rows.get(eventId);
    if (row?.status !== "pending" && row?.status !== "applied") return;
    const tokensRevoked = Math.max(row.tokensRevoked, note.tokensRevoked);
    this.#rows.set(eventId, { ...row, ...note, tokensRevoked, status: "applied" });
  }

  noteEnforced(eventId: string, { incarnation, position, enforcedAtMs, instances }: EnforcedNote): boolean {
    const row = this.#rows.get(eventId);
    if (row?.status !== "applied" || row.incarnation !== incarnation || row.position !== position)
      return false;
    this.#rows.set(eventId, { ...row, status: "enforced", enforcedAtMs, instances });
    return true;
  }

  listUnsettled(limit: number): LedgerRow[] {
    return this.#all()
      .filter(({ status }) => status === "applied")
      .toSorted((a, b) => a.requestedAtMs - b.requestedAtMs)
      .slice(0, limit);
  }

  oldestPendingAtMs(): number | null {
    const pending = this.#all().filter(({ status }) => status === "pending");
    return pending.length === 0 ? null : Math.min(...pending.map(({ requestedAtMs }) => requestedAtMs));
  }

  markTokens(eventId: string, selection: TokenSelection, limit: number): number {
    const chosen = [...this.#table.tokens.values()]
      .filter(
        (token) =>
          token.revokedBy === null && token.expiresAtMs > selection.nowMs && isChosen(token, selection),
      )
      .slice(0, limit);
    for (const token of chosen) this.#table.tokens.set(token.jti, { ...token, revokedBy: eventId });
    return chosen.length;
  }

  listMarked(eventIds: readonly string[], { expiresAfterMs, after = "", limit }: MarkedPage): MarkedToken[] {
    const marks = new Set(eventIds);
    return [...this.#table.tokens.values()]
      .flatMap(({ jti, expiresAtMs, revokedBy }) =>
        revokedBy !== null && marks.has(revokedBy) && expiresAtMs > expiresAfterMs && jti > after
          ? [{ jti, expiresAtMs, revokedBy }]
          : [],
      )
      .toSorted((a, b) => (a.jti < b.jti ? -1 : 1))
      .slice(0, limit);
  }

  countMarked(eventId: string): number {
    return [...this.#table.tokens.values()].filter(({ revokedBy }) => revokedBy === eventId).length;
  }

  lastExpiryMs(subject: string): number | null {
    const expiries = [...this.#table.tokens.values()].flatMap((token) =>
      token.subject === subject ? [token.expiresAtMs] : [],
    );
    return expiries.length === 0 ? null : Math.max(...expiries);
  }

  listLive({ nowMs, after = "", limit }: { nowMs: number; after?: string; limit: number }): LedgerRow[] {
    return this.#all()
      .filter(({ eventId }) => eventId > after)
      .filter(({ status, untilMs }) => status === "pending" || (untilMs !== null && untilMs >= nowMs))
      .toSorted((a, b) => (a.eventId < b.eventId ? -1 : 1))
      .slice(0, limit);
  }

  listExpired(untilBeforeMs: number, limit: number): LedgerRow[] {
    return this.#all()
      .filter(({ status, untilMs }) => status !== "pending" && untilMs !== null && untilMs < untilBeforeMs)
      .slice(0, limit);
  }

  removeRows(eventIds: readonly string[]): void {
    for (const eventId of eventIds) this.#rows.delete(eventId);
  }

  readFence(): Fence | null {
    return this.#fence;
  }

  writeFence(incarnation: string): void {
    this.#fence = { incarnation, longest: this.#fence?.longest ?? nothingLong };
  }

  raiseLongest(longest: Longest): void {
    this.#setLongest(longest, Math.max);
  }

  lowerLongest(longest: Longest): void {
    this.#setLongest(longest, Math.min);
  }

  #setLongest(longest: Longest, pick: (a: number, b: number) => number): void {
    const before = this.#fence ?? { incarnation: null, longest: nothingLong };
    this.#fence = {
      incarnation: before.incarnation,
      longest: {
        tokenLifetimeSeconds: pick(before.longest.tokenLifetimeSeconds, longest.tokenLifetimeSeconds),
        maxStalenessMs: pick(before.longest.maxStalenessMs, longest.maxStalenessMs),
      },
    };
  }

  #all(): LedgerRow[] {
    return [...this.#rows.values()];
  }
}

type Place = Pick<LedgerRow, "requestedAtMs" | "eventId">;

/** Whether `a` stands before `b` in a list that has the newest first. */
function isNewerFirst(a: Place, b: Place): boolean {
  if (a.requestedAtMs !== b.requestedAtMs) return a.requestedAtMs > b.requestedAtMs;
  return a.eventId > b.eventId;
}

function isChosen(token: TokenRecord, selection: TokenSelection): boolean {
  if (selection.by === "jti") return token.jti === selection.jti;
  if (selection.by === "session") return token.sid === selection.sid;
  if (token.subject !== selection.subject) return false;
  if (selection.by === "epoch") return token.epoch < selection.belowEpoch;
  return token.issuedAtMs <= selection.issuedAtOrBeforeMs;
}
