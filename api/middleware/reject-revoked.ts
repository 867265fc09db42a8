import { AppError } from "../../shared/errors.ts";
import type { Metrics } from "../../shared/metrics.ts";
import type { Clock } from "../../shared/ports/platform.ts";
import type { NoteRefusal } from "../audit/refusals.ts";
import type { Blacklist, RevocationCode } from "../blacklist/blacklist.ts";
import { type Check, verifiedTokenOf } from "../request-state.ts";
import type { VerifiedToken } from "../tokens/verify-once.ts";

const explanations: Record<RevocationCode, string> = {
  "token-revoked": "This token has been revoked; sign in again.",
  "user-deactivated": "All tokens that this user had have been revoked; sign in again.",
};

/** To measure each would cost more than the check. */
const checksPerMeasurement = 16;

/** Step 7 of a revocation: one look into the memory of this instance. */
export function createRejectRevoked(
  refuseIfRevoked: RefuseIfRevoked,
  deps: { readonly clock: Pick<Clock, "monotonicMs">; readonly metrics: Pick<Metrics, "checkSeconds"> },
): Check {
  const { clock } = deps;
  const { checkSeconds } = deps.metrics;
  let checks = 0;
  return function rejectRevoked(ctx) {
    const token = verifiedTokenOf(ctx);
    checks += 1;
    if (checks % checksPerMeasurement !== 1) return refuseIfRevoked(token, ctx.state.requestId);
    const startedAtMs = clock.monotonicMs();
    try {
      refuseIfRevoked(token, ctx.state.requestId);
    } finally {
      checkSeconds.observe((clock.monotonicMs() - startedAtMs) / 1_000);
    }
  };
}

/** Throws `token-revoked` or `user-deactivated`. */
export type RefuseIfRevoked = (token: VerifiedToken, requestId?: string) => void;

export function createRefuseIfRevoked(deps: {
  readonly blacklist: Pick<Blacklist, "isRevoked">;
  readonly metrics: Pick<Metrics, "checks" | "acceptedChecks">;
  readonly noteRefusal: NoteRefusal;
}): RefuseIfRevoked {
  const { blacklist, noteRefusal } = deps;
  const { checks, acceptedChecks } = deps.metrics;
  return function refuseIfRevoked({ claims, names }, requestId) {
    const code = blacklist.isRevoked(claims, names);
    if (code === null) {
      acceptedChecks.count += 1;
      return;
    }
    checks.inc({ result: code });
    noteRefusal({ claims, code, requestId });
    throw new AppError(code, explanations[code]);
  };
}
