import { AppError, type ErrorCode } from "../../shared/errors.ts";
import type { Clock } from "../../shared/ports/platform.ts";
import type { TokenKey } from "../../shared/ports/session-store.ts";
import type { Blacklist, CheckedClaims } from "../blacklist/blacklist.ts";
import type { BlacklistFeed } from "../blacklist/blacklist-feed.ts";
import { type KnownKeys, refuseByKey, refuseByTime } from "./verify-token.ts";

export interface VerdictDeps {
  readonly keys: KnownKeys;
  readonly blacklist: Pick<Blacklist, "isRevoked">;
  readonly feed: Pick<BlacklistFeed, "isAccepting" | "freshness" | "position">;
  readonly clock: Pick<Clock, "wallMs">;
  readonly clockToleranceSeconds: number;
}

/** What this instance answers to who brings the token now, and by which rule. */
export interface Verdict {
  readonly isAccepted: boolean;
  /** The problem that it is refused with. */
  readonly code: ErrorCode | null;
  readonly rule: "none" | "freshness" | "signing-key" | "time" | "token-revocation" | "cut-off";
  readonly detail: string;
}

/** What is looked at of a token. */
export interface JudgedToken {
  readonly claims: CheckedClaims;
  /** Undefined where it is not known what signed it. */
  readonly key: TokenKey | undefined;
}

/** In the order in which a request is checked. */
export function verdictOf({ claims, key }: JudgedToken, deps: VerdictDeps): Verdict {
  const { feed, blacklist } = deps;
  if (!feed.isAccepting()) {
    const isCold = feed.freshness().state === "cold";
    const code = isCold ? "replica-cold" : "replica-stale";
    return refused(code, "freshness", "This instance cannot prove that it knows every revocation.");
  }
  const unverified = key === undefined ? null : codeOf(() => refuseByKey(deps.keys, key));
  if (unverified !== null) {
    return refused(
      unverified,
      "signing-key",
      "The key that signed the token is not good on this instance any more.",
    );
  }
  const late = codeByTime(claims, deps);
  if (late !== null) return refused(late, "time", "The token's time is not now.");
  const code = blacklist.isRevoked(claims);
  if (code === "token-revoked")
    return refused(code, "token-revocation", "This instance's blacklist has the token's jti.");
  if (code === "user-deactivated")
    return refused(code, "cut-off", "This instance's blacklist cuts off the token's epoch for its subject.");
  return {
    isAccepted: true,
    code: null,
    rule: "none",
    detail: "Nothing in this instance's blacklist hits the token.",
  };
}

function refused(code: ErrorCode, rule: Verdict["rule"], detail: string): Verdict {
  return { isAccepted: false, code, rule, detail };
}

function codeByTime(
  { exp, iat }: CheckedClaims,
  { clock, clockToleranceSeconds }: VerdictDeps,
): ErrorCode | null {
  const nowSeconds = Math.floor(clock.wallMs() / 1_000);
  return codeOf(() => refuseByTime({ exp, iat }, { nowSeconds, clockToleranceSeconds }));
}

function codeOf(refuse: () => void): ErrorCode | null {
  try {
    refuse();
    return null;
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}
