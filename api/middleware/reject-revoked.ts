import { AppError } from "../../shared/errors.ts";
import type { Metrics } from "../../shared/metrics.ts";
import type { Blacklist, CheckedClaims, RevocationCode } from "../blacklist/blacklist.ts";
import { claimsOf, type Middleware } from "../request-state.ts";

const explanations: Record<RevocationCode, string> = {
  "token-revoked": "This token has been revoked; sign in again.",
  "user-deactivated": "All tokens that this user had have been revoked; sign in again.",
};

/** Step 7 of a revocation: one look into the memory of this instance. */
export function createRejectRevoked(blacklist: Checking, metrics: Pick<Metrics, "checks">): Middleware {
  return async function rejectRevoked(ctx, next) {
    refuseIfRevoked({ blacklist, metrics }, claimsOf(ctx));
    await next();
  };
}

type Checking = Pick<Blacklist, "isRevoked">;

export function refuseIfRevoked(
  deps: { readonly blacklist: Checking; readonly metrics: Pick<Metrics, "checks"> },
  claims: CheckedClaims,
): void {
  const code = deps.blacklist.isRevoked(claims);
  deps.metrics.checks.inc({ result: code ?? "accepted" });
  if (code !== null) throw new AppError(code, explanations[code]);
}
