import { AppError } from "../../shared/errors.ts";
import type { Metrics } from "../../shared/metrics.ts";
import type { Blacklist, RevocationCode } from "../blacklist/blacklist.ts";
import { claimsOf, type Middleware } from "../request-state.ts";

const explanations: Record<RevocationCode, string> = {
  "token-revoked": "This token has been revoked; sign in again.",
  "user-deactivated": "All tokens that this user had have been revoked; sign in again.",
};

/** Step 7 of a revocation: one look into the memory of this instance. */
export function createRejectRevoked(blacklist: Blacklist, metrics: Pick<Metrics, "checks">): Middleware {
  return async function rejectRevoked(ctx, next) {
    const code = blacklist.isRevoked(claimsOf(ctx));
    metrics.checks.inc({ result: code ?? "accepted" });
    if (code !== null) throw new AppError(code, explanations[code]);
    await next();
  };
}
