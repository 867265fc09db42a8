import { AppError } from "../../shared/errors.ts";
import type { HoldRule } from "../../shared/holds/hold-rule.ts";
import type { Ledger, LedgerRow } from "../../shared/ports/ledger.ts";
import type { Clock } from "../../shared/ports/platform.ts";
import type { User, UserStore } from "../../shared/ports/user-store.ts";
import { pendingRowOfOwnEvent } from "../../shared/revocation/pending-row.ts";
import { changeOfOurs } from "../../shared/revocation/user-state.ts";
import type { ChangedUser, ChangeRequest, ChangeUser } from "./change-user.ts";
import { createOwnEvent, type OwnEventDeps } from "./own-event.ts";

export interface HoldOrChangeDeps extends OwnEventDeps {
  readonly users: Pick<UserStore, "findById">;
  readonly ledger: Pick<Ledger, "judge" | "list">;
  readonly holdRule: HoldRule;
  readonly clock: Clock;
  /** Told of each new one, and of the request's id. */
  readonly onHeld: (row: LedgerRow, requestId: string | undefined) => void;
}

export type HeldOrChanged =
  | (ChangedUser & { readonly held: null })
  /** The user is as he was; the row waits for a confirmation. */
  | { readonly held: LedgerRow };

/**
 * Takes a user out of service, or holds that where the administrator does so with too many: before the user is touched,
 * and durable before it is answered. Asked for again while it waits, it is the same one. Throws as `changeUser` does.
 */
export function createHoldOrChange(
  deps: HoldOrChangeDeps,
  type: "user.deactivated" | "user.deleted",
  changeUser: ChangeUser,
) {
  const { users, ledger, holdRule, clock, onHeld } = deps;

  return async function holdOrChange(request: ChangeRequest): Promise<HeldOrChanged> {
    const source = { kind: "administrator", id: request.actor } as const;
    if (holdRule.appliesTo(source)) {
      const user = await users.findById(request.userId);
      if (user?.status === "active") {
        const held = await holdIfMass(user, request);
        if (held !== null) return { held };
      }
    }
    return { ...(await changeUser(request)), held: null };
  };

  async function holdIfMass(
    user: User,
    { actor, reason, requestId, checkAgain }: ChangeRequest,
  ): Promise<LedgerRow | null> {
    const heldUntilMs = await holdRule.heldUntilMs({ kind: "administrator", id: actor }, user.id);
    if (heldUntilMs === null) return null;
    const [waiting] = (await ledger.list({ subject: user.id, status: "held", limit: 20 })).filter(
      (row) => row.type === type && row.eventId === row.sourceEventId,
    );
    if (waiting !== undefined) return waiting;
    const timeMs = changeOfOurs(user, type, clock.wallMs())?.statusChangedAtMs;
    if (timeMs === undefined) throw new AppError("not-found", "There is no user of this id.");
    const asked = createOwnEvent(deps, { type, subject: user.id, timeMs, details: { reason, actor } });
    checkAgain?.();
    const row = await ledger.judge(pendingRowOfOwnEvent(asked), { heldUntilMs });
    onHeld(row, requestId);
    return row;
  }
}
