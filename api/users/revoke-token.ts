import type { Audit } from "../../shared/audit/audit.ts";
import { AppError } from "../../shared/errors.ts";
import type { QuashEvent } from "../../shared/events/event.ts";
import type { Ledger } from "../../shared/ports/ledger.ts";
import type { Clock } from "../../shared/ports/platform.ts";
import type { SessionStore } from "../../shared/ports/session-store.ts";
import type { UserStore } from "../../shared/ports/user-store.ts";
import { clockErrorAllowedMs } from "../../shared/revocation/addition.ts";
import { requireRoom } from "./end-session.ts";
import type { Operation } from "./operation.ts";
import { createOwnEvent, type OwnEventDeps, type Publish } from "./own-event.ts";

export interface RevokeTokenDeps extends OwnEventDeps {
  readonly users: Pick<UserStore, "findById" | "appendEvent">;
  readonly sessions: Pick<SessionStore, "findToken">;
  readonly ledger: Pick<Ledger, "find">;
  readonly clock: Clock;
  readonly publish: Publish;
  readonly audit: Audit;
}

export interface RevokeRequest {
  readonly jti: string;
  readonly actor: string;
  /** Throws where he may not any more. */
  readonly checkAgain?: (() => void) | undefined;
  readonly reason?: string | undefined;
  /** Whose id the event gets. */
  readonly operation?: Operation | undefined;
  readonly requestId?: string | undefined;
  /** Whether it waits while too many events of the subject do: for who revokes his own. */
  readonly isBounded?: boolean;
  /** Whether one that has expired here is revoked as long as an instance whose clock is behind may accept it. */
  readonly alsoExpired?: boolean;
}

export interface RevokedToken {
  /** The event that revokes it; an earlier one, if it was revoked before: then `event` is null. */
  readonly eventId: string;
  readonly event: QuashEvent | null;
  readonly subject: string;
}

/** Revokes one recorded token. Throws `not-found` when it is not recorded or has expired, `outbox-full`. */
export function createRevokeToken(deps: RevokeTokenDeps) {
  const { users, sessions, ledger, clock } = deps;

  return async function revokeToken(request: RevokeRequest): Promise<RevokedToken> {
    const { jti, actor, reason, requestId, operation, isBounded } = request;
    const timeMs = clock.wallMs();
    const token = await sessions.findToken(jti);
    const graceMs = request.alsoExpired === true ? clockErrorAllowedMs : 0;
    if (!token || token.expiresAtMs + graceMs <= timeMs) throw notFound();
    const { subject } = token;
    if (token.revokedBy !== null && (await isDone(token.revokedBy)))
      return { eventId: token.revokedBy, event: null, subject };
    if (isBounded === true) await requireRoom(users, subject);
    const event = createOwnEvent(deps, {
      ...(operation !== undefined && { id: operation.id }),
      type: "token.revoked",
      subject,
      timeMs,
      details: { reason, actor, jti, exp: Math.floor(token.expiresAtMs / 1000) },
    });
    request.checkAgain?.();
    if (!(await users.appendEvent(subject, event))) throw notFound();
    deps.publish({ userId: subject, event });
    const told = { actor, subject, object: jti, reason, requestId, eventId: event.id };
    deps.audit.record({ action: "token.revoked", ...told, eventType: event.type });
    return { eventId: event.id, event, subject };
  };

  /**
   * Whether the store has it. An upstream event that a worker noted waits for that worker for as long as Kafka takes it
   * for alive, which is longer than who asks here was promised.
   */
  async function isDone(eventId: string): Promise<boolean> {
    const row = await ledger.find(eventId);
    return row === null || row.status === "applied" || row.status === "enforced";
  }
}

export type RevokeToken = ReturnType<typeof createRevokeToken>;

function notFound(): AppError {
  return new AppError("not-found", "There is no unexpired token of this jti.");
}
