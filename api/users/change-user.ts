import type { Audit } from "../../shared/audit/audit.ts";
import { AppError, dependencyUnavailable } from "../../shared/errors.ts";
import type { QuashEvent } from "../../shared/events/event.ts";
import type { GuardAdministrators } from "../../shared/holds/guard-administrators.ts";
import type { Ledger } from "../../shared/ports/ledger.ts";
import type { Clock } from "../../shared/ports/platform.ts";
import type { KeptDeactivation, User, UserStore } from "../../shared/ports/user-store.ts";
import { changeOfOurs, type UserChange } from "../../shared/revocation/user-state.ts";
import type { Operation } from "./operation.ts";
import { createOwnEvent, type OwnEventDeps, type Publish } from "./own-event.ts";

export interface ChangeUserDeps extends OwnEventDeps {
  readonly users: Pick<UserStore, "findById" | "change" | "findOutboxEvent">;
  readonly ledger: Pick<Ledger, "find">;
  readonly clock: Clock;
  readonly publish: Publish;
  readonly guardAdministrators: GuardAdministrators;
  readonly audit: Audit;
}

export interface ChangeRequest {
  readonly userId: string;
  /** Who asks: an administrator's id. */
  readonly actor: string;
  /** Throws where he may not any more; asked right before the change. */
  readonly checkAgain?: (() => void) | undefined;
  readonly reason?: string | undefined;
  /** Whose id the event gets; a repeat changes nothing where that event was raised before. */
  readonly operation?: Operation | undefined;
  readonly requestId?: string | undefined;
}

export type ChangedUser =
  | { readonly changed: true; readonly user: User; readonly eventId: string; readonly event: QuashEvent }
  /** Nothing to do. `eventId` is the last deactivation's, if there was one, or the repeated operation's. */
  | { readonly changed: false; readonly user: User; readonly eventId: string | null; readonly event: null };

/** Each lost attempt is somebody else's change of the same user, so this is never reached in earnest. */
const maxAttempts = 100;

/**
 * Deactivates, signs out everywhere, reactivates or deletes: `change` says which. The new state and its event are
 * one conditional write, decided anew on the state that is found when another change came first; then the event is
 * published in the background. Throws `not-found` for an unknown and a deleted user, and as the guard of administrators.
 */
export function createChangeUser(deps: ChangeUserDeps, change: Exclude<UserChange, "credentials.changed">) {
  const { users, clock, guardAdministrators } = deps;

  /** In the ledger since before it leaves the outbox. */
  async function wasRaised(eventId: string): Promise<boolean> {
    return (await users.findOutboxEvent(eventId)) !== null || (await deps.ledger.find(eventId)) !== null;
  }

  async function attempt(
    user: User,
    { userId, actor, reason, operation, checkAgain }: ChangeRequest,
  ): Promise<ChangedUser | null> {
    const to = changeOfOurs(user, change, clock.wallMs());
    if (!to) {
      return { changed: false, user, eventId: user.lastDeactivation?.eventId ?? null, event: null };
    }
    const event = createOwnEvent(deps, {
      ...(operation !== undefined && { id: operation.id }),
      type: change,
      subject: userId,
      timeMs: Math.max(to.statusChangedAtMs, to.epochRaisedAtMs),
      details: { reason, actor, epoch: to.epoch },
    });
    const wanted = {
      from: stateOf(user),
      to,
      event,
      ...(to.status === "deactivated" && change === "user.deactivated" && { deactivation: keptOf(event) }),
    };
    checkAgain?.();
    const changed =
      to.status === "active"
        ? await users.change(userId, wanted)
        : await guardAdministrators(user, (condition) => users.change(userId, { ...wanted, ...condition }));
    return changed && { changed: true, user: changed, eventId: event.id, event };
  }

  return async function changeUser(request: ChangeRequest): Promise<ChangedUser> {
    for (let attempts = 0; attempts < maxAttempts; attempts += 1) {
      const user = await users.findById(request.userId);
      const { operation } = request;
      const mayBeDone = user !== null && (user.status !== "deleted" || change === "user.deleted");
      if (mayBeDone && operation?.isRepeat && (await wasRaised(operation.id)))
        return { changed: false, user, eventId: operation.id, event: null };
      if (!user || user.status === "deleted") {
        throw new AppError("not-found", "There is no user of this id.");
      }
      const outcome = await attempt(user, request);
      if (!outcome) continue;
      if (outcome.changed) {
        deps.publish({ userId: request.userId, event: outcome.event });
        const { userId: subject, actor, reason, requestId } = request;
        const asked = { subject, actor, reason, requestId };
        deps.audit.record({ action: change, ...asked, eventId: outcome.eventId, eventType: change });
      }
      return outcome;
    }
    throw dependencyUnavailable("mongodb", new Error(`another change came first ${maxAttempts} times`));
  };
}

export type ChangeUser = ReturnType<typeof createChangeUser>;

function stateOf({ status, epoch, statusChangedAtMs, epochRaisedAtMs }: User) {
  return { status, epoch, statusChangedAtMs, epochRaisedAtMs };
}

function keptOf(event: QuashEvent): KeptDeactivation {
  return {
    eventId: event.id,
    source: event.source,
    reason: event.details.reason ?? null,
    requestedAtMs: event.timeMs,
    appliedAtMs: null,
    enforcedAtMs: null,
    tokensRevoked: 0,
  };
}
