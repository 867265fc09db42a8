import type { InProcessDatabaseServer } from "../../shared/in-process/database.ts";
import type { Database } from "../../shared/ports/database.ts";
import type { AppliedNote, EventNote, PendingRow } from "../../shared/ports/ledger.ts";
import type { TokenRecord } from "../../shared/ports/session-store.ts";
import type { User } from "../../shared/ports/user-store.ts";
import type { History } from "./history.ts";
import type { Link } from "./link.ts";
import { type OnEffect, overLink } from "./linked-port.ts";
import type { Scheduler } from "./scheduler.ts";

export interface Observer {
  readonly history: History;
  readonly scheduler: Scheduler;
  /** Tokens that were recorded, by jti. */
  readonly records: Map<string, TokenRecord>;
  /** Users as they were last changed. */
  readonly states: Map<string, User>;
}

const strictness = { active: 0, deactivated: 1, deleted: 2 } as const;

/** The database as one process reaches it, with an eye on what the writes do. */
export function connectDatabase(server: InProcessDatabaseServer, link: Link, observer: Observer): Database {
  const { history, scheduler, records, states } = observer;
  const direct = server.connect();

  const onLedger: OnEffect = async (method, args, result) => {
    if (method === "insertPending") noteSessionEnds(args[0]);
    if (method === "noteApplied" && result === true && isText(args[0]) && isNote(args[1])) {
      await noteApplied(args[0], args[1]);
    }
    if (method === "noteManyApplied" && Array.isArray(args[0]) && Array.isArray(result)) {
      const noted = args[0].filter((_, at) => result[at] === true).filter(isEventNote);
      for (const { eventId, note } of noted) await noteApplied(eventId, note);
    }
    if (method === "noteEnforced" && Array.isArray(args[0])) {
      await Promise.all(args[0].filter(isText).map(noteEnforced));
    }
  };

  function noteSessionEnds(rows: unknown): void {
    if (!Array.isArray(rows)) return;
    for (const row of rows) if (isSessionEnd(row)) history.sessionEnds.set(row.sid, row.eventId);
  }

  async function noteApplied(eventId: string, { incarnation }: AppliedNote): Promise<void> {
    const fence = await direct.ledger.readFence();
    if (fence?.incarnation !== incarnation || history.appliedAtMs.has(eventId)) return;
    history.appliedAtMs.set(eventId, scheduler.nowMs);
  }

  /** By what the call did, not by its answer: which may be wrong. */
  async function noteEnforced(eventId: string): Promise<void> {
    const row = await direct.ledger.find(eventId);
    if (row?.status !== "enforced" || history.enforcedAtMs.has(eventId)) return;
    history.enforcedAtMs.set(eventId, scheduler.nowMs);
  }

  const onUsers: OnEffect = (method, _args, result) => {
    if (method === "change" && isUser(result)) noteState(result);
    if (method === "changeMany" && Array.isArray(result))
      for (const user of result.filter(isUser)) noteState(user);
  };

  function noteState(result: User): void {
    const before = states.get(result.id);
    states.set(result.id, result);
    if (before === undefined) return;
    const isBack =
      result.epoch < before.epoch ||
      result.statusChangedAtMs < before.statusChangedAtMs ||
      result.epochRaisedAtMs < before.epochRaisedAtMs;
    // At a tie the stricter state wins; what is older changes nothing.
    const isOutOfOrder =
      result.statusChangedAtMs === before.statusChangedAtMs &&
      strictness[result.status] < strictness[before.status];
    if (isBack || isOutOfOrder) {
      history.violate("I3", scheduler.nowMs, `the state of user ${result.id} went back`);
    }
  }

  const onSessions: OnEffect = (method, args) => {
    const [record] = args;
    if (method === "recordToken" && isTokenRecord(record)) records.set(record.jti, record);
  };

  return {
    users: overLink(direct.users, link, { onEffect: onUsers }),
    sessions: overLink(direct.sessions, link, { onEffect: onSessions }),
    ledger: overLink(direct.ledger, link, { onEffect: onLedger }),
    migrate: () => link.call(() => direct.migrate()),
    ping: () => link.call(() => direct.ping()).catch(() => false),
    close: () => Promise.resolve(),
  };
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

function isSessionEnd(value: unknown): value is PendingRow & { readonly sid: string } {
  return isObject(value) && isText(value["sid"]) && isText(value["eventId"]);
}

function isUser(value: unknown): value is User {
  return isObject(value) && typeof value["epoch"] === "number";
}

function isTokenRecord(value: unknown): value is TokenRecord {
  return isObject(value) && isText(value["jti"]) && typeof value["issuedAtMs"] === "number";
}
