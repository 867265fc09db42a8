import type { History, Mint, Revoke } from "./history.ts";

/** When nobody may accept the token any more; Infinity: nothing that surely means it is known to be applied. */
export function deadFrom(mint: Mint, history: History): number {
  const times = history
    .revokesOf(mint.user)
    .filter((revoke) => surelyMeans(revoke, mint, history))
    .map((revoke) => {
      const applied = history.appliedOf(revoke);
      if (applied === undefined) return Infinity;
      return Math.min(applied.appliedAt + history.boundMs, applied.enforcedAt);
    });
  return Math.min(Infinity, ...times);
}

/** When the token may first be refused for having been revoked; Infinity: never. */
export function innocentUntil(mint: Mint, history: History): number {
  const times = history
    .revokesOf(mint.user)
    .filter((revoke) => mayMean(revoke, mint, history))
    .map(({ sent }) => sent);
  return Math.min(Infinity, ...times);
}

function surelyMeans(revoke: Revoke, mint: Mint, history: History): boolean {
  if (revoke.outcome !== "accepted") return false;
  if (revoke.tokens !== undefined) return revoke.tokens.includes(mint.token);
  if (mint.done <= revoke.sent) return true;
  // A sign-in that races a deactivation which nobody takes back makes no survivor.
  return revoke.way !== "sign-out" && history.reactivationsOf(mint.user).length === 0;
}

function mayMean(revoke: Revoke, mint: Mint, history: History): boolean {
  if (revoke.outcome === "refused") return false;
  if (revoke.tokens !== undefined) return revoke.tokens.includes(mint.token);
  // Without an answer it may take effect at any later time.
  if (revoke.outcome === "unknown") return true;
  if (revoke.way === "sign-out") return mint.sent < revoke.done;
  return !history
    .reactivationsOf(mint.user)
    .some(
      (reactivation) =>
        reactivation.outcome === "accepted" &&
        reactivation.sent >= tookEffectBy(revoke, history) &&
        mint.sent >= reactivation.done,
    );
}

/** An event of another system takes effect when the user is seen to be deactivated. */
function tookEffectBy(revoke: Revoke, history: History): number {
  if (revoke.way !== "upstream") return revoke.done;
  const seen = history
    .statusesOf(revoke.user)
    .filter(({ status, sent }) => status === "deactivated" && sent >= revoke.sent)
    .map(({ done }) => done);
  return Math.min(Infinity, ...seen);
}
