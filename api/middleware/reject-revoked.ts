import { AppError } from "../../shared/errors.ts";
import type { Metrics } from "../../shared/metrics.ts";
import type { Clock } from "../../shared/ports/platform.ts";
import type { Blacklist, CheckedClaims, RevocationCode } from "../blacklist/blacklist.ts";
import { claimsOf, type Middleware } from "../request-state.ts";

const explanations: Record<RevocationCode, string> = {
  "token-revoked": "This token has been revoked; sign in again.",
  "user-deactivated": "All tokens that this user had have been revoked; sign in again.",
};

/** Step 7 of a revocation: one look into the memory of this instance. */
export function createRejectRevoked({ clock, ...deps }: RejectRevokedDeps): Middleware {
  const { checkSeconds } = deps.metrics;
  return async function rejectRevoked(ctx, next) {
    const claims = claimsOf(ctx);
    const startedAtMs = clock.monotonicMs();
    try {
      refuseIfRevoked(deps, claims);
    } finally {
      checkSeconds.observe((clock.monotonicMs() - startedAtMs) / 1_000);
    }
    await next();
  };
}

interface CheckDeps {
  readonly blacklist: Pick<Blacklist, "isRevoked">;
  readonly metrics: Pick<Metrics, "checks">;
}

interface RejectRevokedDeps extends CheckDeps {
  readonly metrics: Pick<Metrics, "checks" | "checkSeconds">;
  readonly clock: Pick<Clock, "monotonicMs">;
}

export function refuseIfRevoked(deps: CheckDeps, claims: CheckedClaims): void {
  const code = deps.blacklist.isRevoked(claims);
  deps.metrics.checks.inc({ result: code ?? "accepted" });
  if (code !== null) throw new AppError(code, explanations[code]);
}
