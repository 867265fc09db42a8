import { type HoldRule, takesOutOfService } from "../../shared/holds/hold-rule.ts";
import type { Ledger, LedgerRow } from "../../shared/ports/ledger.ts";
import type { User } from "../../shared/ports/user-store.ts";
import { rowOfUpstream } from "../../shared/revocation/resolve-user.ts";
import { changeFromUpstream } from "../../shared/revocation/user-state.ts";
import type { ReceivedEvent } from "./received-event.ts";

export interface JudgeDeps {
  readonly ledger: Pick<Ledger, "judge">;
  readonly holdRule: HoldRule;
}

/**
 * Decides, before the user is touched, whether an upstream event that takes one out of service is held. The verdict
 * stands in the event's row: a redelivery finds it, and one that comes before the row was written counts the same user.
 * What changes nobody is not asked about. Null then, else the row as it is.
 */
export function createJudge({ ledger, holdRule }: JudgeDeps) {
  return async function judge(
    received: ReceivedEvent,
    row: LedgerRow | null,
    user: User | null,
  ): Promise<LedgerRow | null> {
    if (row !== null && row.hold !== null) return null;
    const source = { kind: "source", source: received.event.source } as const;
    if (!holdRule.appliesTo(source) || !removes(received, user)) return null;
    const heldUntilMs = await holdRule.heldUntilMs(source, nameOf(received, user));
    return ledger.judge(rowOfUpstream(received, user), { heldUntilMs });
  };
}

/** Also one who is not known here: tokens of others are cut off for him. */
function removes({ event: { type }, effectiveAtMs }: ReceivedEvent, user: User | null): boolean {
  if (!takesOutOfService(type)) return false;
  if (user === null) return true;
  return user.status === "active" && changeFromUpstream(user, type, effectiveAtMs) !== null;
}

function nameOf({ event }: ReceivedEvent, user: User | null): string {
  const { external } = event.details;
  if (user !== null) return user.id;
  return external === undefined ? (event.subject ?? "") : JSON.stringify([external.iss, external.sub]);
}
