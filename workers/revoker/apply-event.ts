import { requireSameEvent } from "../../shared/events/event-content.ts";
import { createCarryOut } from "../../shared/holds/carry-out.ts";
import type { GuardAdministrators } from "../../shared/holds/guard-administrators.ts";
import type { HoldRule } from "../../shared/holds/hold-rule.ts";
import type { Ledger, LedgerRow } from "../../shared/ports/ledger.ts";
import type { Clock } from "../../shared/ports/platform.ts";
import type { RevocationStore, Written } from "../../shared/ports/revocation-store.ts";
import type { SessionStore } from "../../shared/ports/session-store.ts";
import type { User, UserStore } from "../../shared/ports/user-store.ts";
import { createResolveUser, rowOfUpstream } from "../../shared/revocation/resolve-user.ts";
import { createDecide } from "./decide.ts";
import { firstAdditions } from "./first-additions.ts";
import { createJudge } from "./judge.ts";
import { type Names, type Plan, planOfRow } from "./plan.ts";
import type { ReceivedEvent } from "./received-event.ts";
import { createWriteRevocation, type First, type Heartbeat, incarnationChanged } from "./write-revocation.ts";

export interface ApplyDeps {
  readonly users: UserStore;
  readonly sessions: Pick<SessionStore, "findToken" | "endSessionsCreatedBy">;
  readonly ledger: Ledger;
  readonly store: Pick<RevocationStore, "add" | "readState">;
  readonly clock: Clock;
  readonly names: Names;
  readonly guardAdministrators: GuardAdministrators;
  readonly holdRule: HoldRule;
  readonly namespace: string;
  /** Told of each event that was not applied before. */
  readonly onApplied?: (received: ReceivedEvent) => void;
  /** Told of each event when its row becomes a held one. */
  readonly onHeld?: (row: LedgerRow) => void;
}

export interface ApplyOptions {
  /** The event's first additions as they were written; undefined when they are still to be. */
  readonly first?: First | undefined;
  readonly heartbeat: Heartbeat;
}

/** `kept`: the event is held; it has no effect now. */
export type Outcome = "applied" | "duplicate" | "rewritten" | "kept";

/**
 * Applies one event: one attempt, idempotent, from the first call to the fence. Whatever it throws, calling it
 * again (without `first`) repairs what was left half-way. Errors of the ports pass through; `store-invalid` also
 * says that the incarnation changed on the way. Throws `idempotency-conflict` for another event under a known (source,
 * id).
 */
export function createApplyEvent(deps: ApplyDeps) {
  const { users, ledger, store, clock, names } = deps;
  const resolveUser = createResolveUser(users, names.ownIssuer);
  const decide = createDecide(deps);
  const judge = createJudge(deps);
  const carryOut = createCarryOut(deps);
  const writeRevocation = createWriteRevocation(deps);

  const underWay = new Set<string>();

  return { applyEvent, rewriteRow, underWay: underWay as ReadonlySet<string> };

  async function applyEvent(received: ReceivedEvent, options: ApplyOptions): Promise<Outcome> {
    underWay.add(received.eventId);
    try {
      return await apply(received, options);
    } finally {
      underWay.delete(received.eventId);
    }
  }

  async function apply(received: ReceivedEvent, options: ApplyOptions): Promise<Outcome> {
    const { heartbeat } = options;
    const first = options.first ?? (await writeFirst(received));
    const isChange = !received.isOwn && received.event.type !== "token.revoked";
    // Before the row is read: of two workers the one that finds the user deleted finds the other's row, too.
    const named = isChange ? await resolveUser(received) : null;
    const row = await ledger.find(received.eventId);
    if (row !== null) requireSameEvent(row, received.pendingRow);
    if (row?.status === "held") return "kept";
    if (row?.status === "applied" || row?.status === "enforced") {
      return (await isNotedUnderPresent(row, first?.written)) ? "duplicate" : rewriteRow(row, heartbeat);
    }
    const settled = row === null ? received : { ...received, effectiveAtMs: row.effectiveAtMs };
    const plan = isChange ? await decideChange(settled, row, named) : await decideOther(settled, row);
    if (plan === null) return "kept";
    await heartbeat();
    await writeRevocation({
      row: { eventId: received.eventId, appliedAtMs: null },
      plan,
      first,
      heartbeat,
    });
    deps.onApplied?.(received);
    return "applied";
  }

  async function decideOther(received: ReceivedEvent, row: LedgerRow | null): Promise<Plan> {
    if (row?.hold?.state === "confirmed" && received.event.details.epoch === undefined) {
      const { event } = await carryOut(row);
      return decide({ ...received, event }, null);
    }
    const inserted = row === null ? ledger.insertPending([received.pendingRow]) : undefined;
    const [plan] = await Promise.all([decide(received, null), inserted]);
    return plan;
  }

  /**
   * Whom the event means stands in its row before he is changed: afterwards he may bear none of its names. Null where
   * it is held.
   */
  async function decideChange(
    received: ReceivedEvent,
    row: LedgerRow | null,
    named: User | null,
  ): Promise<Plan | null> {
    const isOther = row !== null && row.subject !== null && row.subject !== named?.id;
    const user = isOther ? await users.findById(row.subject) : named;
    const judged = await judge(received, row, user);
    if (judged?.status === "held") {
      deps.onHeld?.(judged);
      return null;
    }
    if (row === null && judged === null) await ledger.insertPending([rowOfUpstream(received, named)]);
    return decide(received, user);
  }

  async function writeFirst(received: ReceivedEvent): Promise<First | undefined> {
    const additions = firstAdditions(received, clock.wallMs(), names);
    return additions.length === 0 ? undefined : { additions, written: await store.add(additions) };
  }

  /**
   * Writes again what an applied row stands for, and notes it under the present incarnation. Unless it was enforced,
   * the note that it had did not count, nor does its time.
   */
  async function rewriteRow(row: LedgerRow, heartbeat: Heartbeat): Promise<Outcome> {
    const { eventId } = row;
    const appliedAtMs = row.status === "enforced" ? row.appliedAtMs : null;
    await writeRevocation({
      row: { eventId, appliedAtMs },
      plan: planOfRow(row),
      first: undefined,
      heartbeat,
    });
    return "rewritten";
  }

  /**
   * The fence counts here too: a worker that noted the row and died before it read the fence may have written to a
   * server that nobody else follows any more, and the repair may have read the ledger before the row was noted.
   */
  async function isNotedUnderPresent(row: LedgerRow, first: Written | undefined): Promise<boolean> {
    const present = first?.incarnation ?? (await store.readState()).incarnation;
    const fence = await ledger.readFence();
    if (present === null || fence?.incarnation !== present) throw incarnationChanged();
    return row.incarnation === present;
  }
}

export type ApplyEvent = ReturnType<typeof createApplyEvent>["applyEvent"];
export type RewriteRow = ReturnType<typeof createApplyEvent>["rewriteRow"];
