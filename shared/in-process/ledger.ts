import type {
  AppliedNote,
  Confirmation,
  EnforcedNote,
  EventNote,
  Fence,
  FenceMark,
  LedgerQuery,
  LedgerRow,
  MarkedPage,
  MarkedRange,
  MarkedToken,
  MarkRequest,
  PendingRow,
  RowsOver,
  TokenSelection,
  Verdict,
} from "../ports/ledger.ts";
import { type Longest, longestOf, nothingLong } from "../revocation/longest.ts";
import type { TokenTable } from "./tokens.ts";

const emptyFence: Fence = { incarnation: null, longest: nothingLong };

const untouched = {
  status: "pending",
  hold: null,
  untilMs: null,
  unrecorded: false,
  appliedAtMs: null,
  incarnation: null,
  position: null,
  enforcedAtMs: null,
  tokensRevoked: 0,
  instances: [],
} as const;

/** Every public method is one atomic step. */
export class InProcessLedger {
  readonly #rows = new Map<string, LedgerRow>();
  /** Those of `#rows` that are not settled, so that they are found without a scan. */
  readonly #open = new Map<string, LedgerRow>();
  readonly #tokens: TokenTable;
  #fence: Fence | null = null;

  constructor(tokens: TokenTable) {
    this.#tokens = tokens;
  }

  insertPending(rows: readonly PendingRow[]): void {
    for (const row of rows) {
      if (!this.#rows.has(row.eventId)) this.#put({ ...row, ...untouched });
    }
  }

  judge(row: PendingRow, { heldUntilMs }: Verdict): LedgerRow {
    const present = this.#rows.get(row.eventId) ?? { ...row, ...untouched };
    const isOpen = present.status === "pending" || present.status === "failed";
    if (!isOpen || present.hold !== null) return present;
    const verdict =
      heldUntilMs === null
        ? ({ status: "pending", hold: { state: "admitted" }, untilMs: null } as const)
        : ({ status: "held", hold: { state: "held" }, untilMs: heldUntilMs } as const);
    this.#put({ ...present, ...verdict });
    return { ...present, ...verdict };
  }

  confirmHold(eventId: string, confirmation: Confirmation): LedgerRow | null {
    const row = this.#rows.get(eventId);
    if (row?.status !== "held" || row.hold?.state !== "held") return null;
    const confirmed: LedgerRow = {
      ...row,
      status: "pending",
      untilMs: null,
      hold: { state: "confirmed", ...confirmation },
    };
    this.#put(confirmed);
    return confirmed;
  }

  listHoldsOver(nowMs: number, limit: number): LedgerRow[] {
    const over = this.#all().filter((row) => row.status === "held" && isHoldOver(row, nowMs));
    return oldestFirst(over).slice(0, limit);
  }

  beginHoldEnd(eventId: string, nowMs: number): boolean {
    const row = this.#rows.get(eventId);
    if (row?.status !== "held" || !isHoldOver(row, nowMs)) return false;
    this.#put({ ...row, hold: { state: "ending" } });
    return true;
  }

  endHold(eventId: string, { untilMs }: { readonly untilMs: number }): void {
    const row = this.#rows.get(eventId);
    if (row?.status !== "held" || row.hold?.state !== "ending") return;
    this.#put({ ...row, status: "failed", untilMs, hold: null });
  }

  countHeld(): number {
    return this.#all().filter(({ status }) => status === "held").length;
  }

  find(eventId: string): LedgerRow | null {
    return this.#rows.get(eventId) ?? null;
  }

  findMany(eventIds: readonly string[]): LedgerRow[] {
    return eventIds.flatMap((eventId) => this.#rows.get(eventId) ?? []);
  }

  list({ limit, after, subject, jti, status }: LedgerQuery): LedgerRow[] {
    return this.#all()
      .filter((row) => status === undefined || row.status === status)
      .filter((row) => subject === undefined || row.subject === subject)
      .filter((row) => jti === undefined || row.jti === jti)
      .filter((row) => after === undefined || isNewerFirst(after, row))
      .toSorted((a, b) => (isNewerFirst(a, b) ? -1 : 1))
      .slice(0, limit);
  }

  /**
   * Several workers may note one row, each its own writes, in any order. Within an incarnation the latest position
   * stands, since only there all of them are; between incarnations the last note does. The reach grows in any case.
   */
  noteApplied(eventId: string, note: AppliedNote): boolean {
    const row = this.#rows.get(eventId);
    if (row === undefined) return false;
    if (row.status === "enforced" || row.status === "held") return true;
    const reach = {
      epoch: greatest(row.epoch, note.epoch),
      notBefore: greatest(row.notBefore, note.notBefore),
      unrecorded: row.unrecorded || note.unrecorded,
      untilMs: greatest(row.untilMs, note.untilMs),
      tokensRevoked: Math.max(row.tokensRevoked, note.tokensRevoked),
    };
    const isLater =
      row.incarnation !== note.incarnation || row.position === null || row.position < note.position;
    const { incarnation, position, appliedAtMs } = note;
    const place = isLater ? { subject: note.subject ?? row.subject, incarnation, position, appliedAtMs } : {};
    this.#put({ ...row, ...reach, ...place, status: "applied" });
    return true;
  }

  noteManyApplied(notes: readonly EventNote[]): boolean[] {
    return notes.map(({ eventId, note }) => this.noteApplied(eventId, note));
  }

  noteEnforced(eventIds: readonly string[], enforced: EnforcedNote): number {
    const { incarnation, positions, enforcedAtMs, instances } = enforced;
    const rows = this.findMany(eventIds).filter(
      ({ status, position, ...row }) =>
        status === "applied" &&
        row.incarnation === incarnation &&
        position !== null &&
        positions.includes(position),
    );
    for (const row of rows) this.#put({ ...row, status: "enforced", enforcedAtMs, instances });
    return rows.length;
  }

  noteFailed(eventId: string, { untilMs }: { readonly untilMs: number }): void {
    const row = this.#rows.get(eventId);
    if (row?.status === "pending") this.#put({ ...row, status: "failed", untilMs });
  }

  listUnsettled(limit: number, after?: Place): LedgerRow[] {
    return oldestFirst(this.#openAs("applied"), after).slice(0, limit);
  }

  listPending(limit: number, after?: Place): LedgerRow[] {
    return oldestFirst(this.#openAs("pending"), after).slice(0, limit);
  }

  markTokens(eventId: string, selection: TokenSelection, limit: number): number {
    return this.#tokens.mark(eventId, selection, limit);
  }

  markMany(requests: readonly MarkRequest[], limit: number): number[] {
    return requests.map(({ eventId, selection }) => this.markTokens(eventId, selection, limit));
  }

  listMarked(eventIds: readonly string[], page: MarkedPage): MarkedToken[] {
    return this.#tokens.listMarked(eventIds, page);
  }

  listMarkedByOthers(
    eventId: string,
    selection: TokenSelection,
    page: Omit<MarkedPage, "expiresAfterMs">,
  ): MarkedToken[] {
    return this.#tokens.listMarkedByOthers(eventId, selection, page);
  }

  listMarkedBetween(range: MarkedRange): MarkedToken[] | null {
    return this.#tokens.listMarkedBetween(range);
  }

  lastExpiryMs(subject: string): number | null {
    return this.#tokens.lastExpiryMs(subject);
  }

  lastExpiriesMs(subjects: readonly string[]): Map<string, number> {
    return new Map(
      subjects.flatMap((subject): [string, number][] => {
        const lastMs = this.lastExpiryMs(subject);
        return lastMs === null ? [] : [[subject, lastMs]];
      }),
    );
  }

  listLive({ nowMs, after = "", limit }: { nowMs: number; after?: string; limit: number }): LedgerRow[] {
    return this.#all()
      .filter(({ eventId }) => eventId > after)
      .filter(({ status, untilMs }) => status === "pending" || (untilMs !== null && untilMs >= nowMs))
      .toSorted((a, b) => (a.eventId < b.eventId ? -1 : 1))
      .slice(0, limit)
      .map((row) => ({ ...row, instances: [] }));
  }

  listExpired(over: RowsOver, limit: number): LedgerRow[] {
    return this.#all()
      .filter((row) => isOver(row, over))
      .slice(0, limit);
  }

  removeRows(eventIds: readonly string[], over: RowsOver): number {
    const rows = this.findMany([...new Set(eventIds)]).filter((row) => isOver(row, over));
    for (const { eventId } of rows) {
      this.#rows.delete(eventId);
      this.#open.delete(eventId);
    }
    return rows.length;
  }

  readFence(): Fence | null {
    return this.#fence;
  }

  writeFence(incarnation: string): void {
    this.#fence = { ...(this.#fence ?? emptyFence), incarnation };
  }

  raiseLongest(longest: Longest): Fence {
    const before = this.#fence ?? emptyFence;
    const raised = longestOf([before.longest, longest]);
    this.#fence = { ...before, longest: { ...raised, version: before.longest.version + 1 } };
    return this.#fence;
  }

  lowerLongest({ tokenLifetimeSeconds, maxStalenessMs }: Longest, from: FenceMark): boolean {
    const before = this.#fence;
    if (before?.incarnation !== from.incarnation || before.longest.version !== from.version) return false;
    this.#fence = {
      ...before,
      longest: { tokenLifetimeSeconds, maxStalenessMs, version: from.version + 1 },
    };
    return true;
  }

  #put(row: LedgerRow): void {
    this.#rows.set(row.eventId, row);
    if (row.status === "pending" || row.status === "applied") this.#open.set(row.eventId, row);
    else this.#open.delete(row.eventId);
  }

  #openAs(status: "pending" | "applied"): LedgerRow[] {
    return [...this.#open.values()].filter((row) => row.status === status);
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

function oldestFirst(rows: readonly LedgerRow[], after?: Place): LedgerRow[] {
  return rows
    .filter((row) => after === undefined || isNewerFirst(row, after))
    .toSorted((a, b) => (isNewerFirst(b, a) ? -1 : 1));
}

function isHoldOver({ hold, untilMs }: LedgerRow, nowMs: number): boolean {
  return hold?.state === "ending" || (untilMs !== null && untilMs < nowMs);
}

function isOver({ status, untilMs }: LedgerRow, over: RowsOver): boolean {
  if (status === "pending" || status === "held" || untilMs === null) return false;
  return untilMs < (status === "applied" ? over.unsettledUntilBeforeMs : over.untilBeforeMs);
}

function greatest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.max(a, b);
}
