import { AppError } from "../../shared/errors.ts";
import type { Metrics } from "../../shared/metrics.ts";
import type { Blacklist, RevocationCode } from "../blacklist/blacklist.ts";
import { type Middleware, verifiedTokenOf } from "../request-state.ts";
import type { VerifiedToken } from "../tokens/verify-once.ts";

const explanations: Record<RevocationCode, string> = {
  "token-revoked": "This token has been revoked; sign in again.",
  "user-deactivated": "All tokens that this user had have been revoked; sign in again.",
};

/** Step 7 of a revocation: one look into the memory of this instance. */
export function createRejectRevoked(blacklist: Checking, metrics: Pick<Metrics, "checks">): Middleware {
  return async function rejectRevoked(ctx, next) {
    refuseIfRevoked({ blacklist, metrics }, verifiedTokenOf(ctx));
    await next();
  };
}

type Checking = Pick<Blacklist, "isRevoked">;

export function refuseIfRevoked(
  deps: { readonly blacklist: Checking; readonly metrics: Pick<Metrics, "checks"> },
  { claims, names }: VerifiedToken,
): void {
  const code = deps.blacklist.isRevoked(claims, names);
  deps.metrics.checks.inc({ result: code ?? "accepted" });
  if (code !== null) throw new AppError(code, explanations[code]);
}
