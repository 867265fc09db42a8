import type { ExternalIdentity } from "../../shared/events/event.ts";
import type { Database } from "../../shared/ports/database.ts";
import type { AppliedNote, EventNote, PendingRow } from "../../shared/ports/ledger.ts";
import type { TokenRecord } from "../../shared/ports/session-store.ts";
import type { StateChange, User } from "../../shared/ports/user-store.ts";
import type { History } from "./history.ts";

export interface EffectObserverDeps {
  /** Past the link. */
  readonly direct: Database;
  readonly history: History;
  readonly nowMs: () => number;
  /** The latest time that any wall clock has shown so far. */
  readonly latestShownMs: () => number;
  readonly onRecorded: (record: TokenRecord) => void;
  readonly onFence: (incarnation: string) => void;
  /** Users as they were last changed, by id. */
  readonly states: Map<string, User>;
  readonly userOf: (external: ExternalIdentity) => string | null;
}

const strictness = { active: 0, deactivated: 1, deleted: 2 } as const;

/** Learns from the writes to the database, in the very steps in which they have their effect. */
export class EffectObserver {
  readonly #deps: EffectObserverDeps;

  constructor(deps: EffectObserverDeps) {
    this.#deps = deps;
  }

  async onLedger(method: string, [first, second]: readonly unknown[], result: unknown): Promise<void> {
    if (method === "insertPending" && Array.isArray(first)) {
      for (const row of first) if (isPendingRow(row)) this.#notePending(row);
    }
    if (method === "noteApplied" && result === true && isText(first) && isNote(second)) {
      await this.#noteApplied(first, second);
    }
    if (method === "noteManyApplied" && Array.isArray(first) && Array.isArray(result)) {
      const noted = first.filter((_, at) => result[at] === true).filter(isEventNote);
      for (const { eventId, note } of noted) await this.#noteApplied(eventId, note);
    }
    if (method === "noteEnforced" && Array.isArray(first)) {
      await Promise.all(first.filter(isText).map((eventId) => this.#noteEnforced(eventId)));
    }
    if (method === "writeFence" && isText(first)) this.#deps.onFence(first);
  }

  onUsers(method: string, [first, second]: readonly unknown[], result: unknown): void {
    if (method === "change") this.#noteChange(second, result);
    if (method !== "changeMany" || !Array.isArray(first) || !Array.isArray(result)) return;
    first.filter(isObject).forEach(({ change }, at) => this.#noteChange(change, result[at]));
  }

  onSessions(method: string, [record]: readonly unknown[]): void {
    if (method === "recordToken" && isTokenRecord(record)) this.#deps.onRecorded(record);
  }

  #noteChange(change: unknown, after: unknown): void {
    if (!isUser(after) || !isChange(change)) return;
    const { states } = this.#deps;
    const before = states.get(after.id);
    states.set(after.id, after);
    this.#judgeTimes(after, change);
    if (before !== undefined) this.#judgeOrder(before, after);
  }

  /** A deleted user bears no names: who names him by one means nobody, unless the row knows whom already. */
  #notePending({ eventId, sid, subject, external }: PendingRow): void {
    const { history, states, userOf } = this.#deps;
    if (sid !== null) history.sessionEnds.set(sid, eventId);
    if (history.pending.has(eventId)) return;
    history.pending.add(eventId);
    const named = subject === null && external !== null ? userOf(external) : null;
    if (named !== null && states.get(named)?.status === "deleted") history.ofNobody.add(eventId);
  }

  async #noteApplied(eventId: string, { incarnation }: AppliedNote): Promise<void> {
    const { direct, history, nowMs } = this.#deps;
    const row = await direct.ledger.find(eventId);
    if (row?.appliedAtMs != null) history.noteApplied(eventId, row.appliedAtMs, nowMs());
    const fence = await direct.ledger.readFence();
    if (fence?.incarnation !== incarnation || history.appliedAtMs.has(eventId)) return;
    history.appliedAtMs.set(eventId, nowMs());
    history.onApplied(eventId);
  }

  /** By what the call did, not by its answer: which may be wrong. */
  async #noteEnforced(eventId: string): Promise<void> {
    const { direct, history, nowMs } = this.#deps;
    const row = await direct.ledger.find(eventId);
    if (row?.status !== "enforced" || history.enforcedAtMs.has(eventId)) return;
    history.enforcedAtMs.set(eventId, nowMs());
    history.onEnforced(eventId);
  }

  /** Nobody's state is of a time that no clock has shown yet: who signs in before it would be hit. */
  #judgeTimes(user: User, { from }: StateChange): void {
    const latestMs = this.#deps.latestShownMs();
    const movedMs = Math.max(from.statusChangedAtMs, from.epochRaisedAtMs) + 1;
    if (Math.max(user.statusChangedAtMs, user.epochRaisedAtMs) <= Math.max(latestMs, movedMs)) return;
    this.#violateOrder(`the state of user ${user.id} is of the future`);
  }

  #judgeOrder(before: User, after: User): void {
    const isBack =
      after.epoch < before.epoch ||
      after.statusChangedAtMs < before.statusChangedAtMs ||
      after.epochRaisedAtMs < before.epochRaisedAtMs;
    // At a tie the stricter state wins; what is older changes nothing.
    const isOutOfOrder =
      after.statusChangedAtMs === before.statusChangedAtMs &&
      strictness[after.status] < strictness[before.status];
    if (isBack || isOutOfOrder) this.#violateOrder(`the state of user ${after.id} went back`);
  }

  #violateOrder(what: string): void {
    this.#deps.history.violate("I3", this.#deps.nowMs(), what);
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isNote(value: unknown): value is AppliedNote {
  return isObject(value) && isText(value["incarnation"]);
}

function isEventNote(value: unknown): value is EventNote {
  return isObject(value) && isText(value["eventId"]) && isNote(value["note"]);
}

function isPendingRow(value: unknown): value is PendingRow {
  return isObject(value) && isText(value["eventId"]);
}

export function isUser(value: unknown): value is User {
  return isObject(value) && typeof value["epoch"] === "number";
}

function isChange(value: unknown): value is StateChange {
  return isObject(value) && isObject(value["from"]) && isObject(value["to"]);
}

function isTokenRecord(value: unknown): value is TokenRecord {
  return isObject(value) && isText(value["jti"]) && typeof value["issuedAtMs"] === "number";
}
