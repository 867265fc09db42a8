import type { HeldToken, History, Killer, Reactivation } from "./history.ts";

/*
 * What must be so, told from what clients did and saw. Knows nothing of epochs, cut-offs and positions: a token must
 * die of what was asked for after its client held it, or its session, and must live if nothing that could mean it was
 * asked for.
 */

/** Whether the token must be refused once the killer is applied and the bound has passed. */
export function mustDie(token: HeldToken, killer: Killer, history: History): boolean {
  if (killer.user !== token.user || !isAccepted(killer)) return false;
  const eventId = history.eventIdOf(killer);
  if (eventId !== null && history.ofNobody.has(eventId)) return false;
  const { by, sentAtMs } = killer;
  switch (by.kind) {
    case "token":
      return by.jti === token.jti;
    case "session":
      return by.sid === token.sid;
    case "upstream":
      return token.issuedAtMs <= by.effectiveAtMs && token.receivedAtMs < sentAtMs;
    case "sign-out":
      return token.signedInAtMs < sentAtMs;
    case "deactivation":
    default:
      return token.signedInAtMs < sentAtMs || isCaughtBySignInRace(token, killer, history);
  }
}

/** A sign-in that raced the deactivation: nothing that it got may live, unless the user came back meanwhile. */
function isCaughtBySignInRace(token: HeldToken, killer: Killer, history: History): boolean {
  if (killer.ackAtMs === null || token.signInSentAtMs > killer.ackAtMs) return false;
  return !history.reactivations.some(
    (reactivation) =>
      reactivation.user === token.user &&
      reactivation.sentAtMs <= token.receivedAtMs &&
      !wasOverBefore(killer.sentAtMs, reactivation, history),
  );
}

function wasOverBefore(ms: number, { ackAtMs, eventId }: Reactivation, history: History): boolean {
  const doneAtMs = eventId === null ? ackAtMs : (history.appliedAtMs.get(eventId) ?? Infinity);
  return doneAtMs < ms;
}

/** Whether the killer may have meant the token, so that refusing it is no error. */
export function mayDie(token: HeldToken, killer: Killer, history: History): boolean {
  if (killer.user !== token.user || killer.ackAtMs === Infinity) return false;
  const { by, ackAtMs } = killer;
  switch (by.kind) {
    case "token":
      return by.jti === token.jti;
    case "session":
      return by.sid === token.sid;
    case "upstream": {
      const eventId = history.eventIdOf(killer);
      const appliedAtMs = eventId === null ? undefined : history.appliedAtMs.get(eventId);
      const isHandled = appliedAtMs !== undefined && appliedAtMs < token.signInSentAtMs;
      return !isHandled || token.issuedAtMs <= by.effectiveAtMs;
    }
    case "sign-out":
    case "deactivation":
    default:
      return ackAtMs === null || token.signInSentAtMs <= ackAtMs;
  }
}

export function isInnocent(token: HeldToken, history: History): boolean {
  return !history.killers.some((killer) => mayDie(token, killer, history));
}

function isAccepted({ ackAtMs }: Killer): boolean {
  return ackAtMs !== null && ackAtMs !== Infinity;
}
