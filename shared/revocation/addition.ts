import type { Fingerprint } from "./fingerprint.ts";

/** A recorded token: lies in the bucket of its own expiry minute. */
export interface TokenRevocation {
  readonly kind: "token";
  readonly token: Fingerprint;
  /** NumericDate, seconds: the token's recorded `exp`. */
  readonly exp: number;
}

/** A token that is not recorded (its `exp` is not known for sure): lies in the side bucket until `until`. */
export interface UnrecordedTokenRevocation {
  readonly kind: "unrecorded-token";
  readonly token: Fingerprint;
  /** NumericDate, seconds. The store raises it to now plus the longest lifetime in use. */
  readonly until: number;
}

/** All tokens of a subject below an epoch, or (other issuers, which carry no epoch) issued at or before a time. */
export interface CutOff {
  readonly kind: "cut-off";
  readonly subject: Fingerprint;
  /** Tokens with a lower epoch are refused; 0 refuses none. */
  readonly epoch: number;
  /** NumericDate, seconds: tokens without an epoch whose `iat` is at or before it are refused; 0 refuses none. */
  readonly notBefore: number;
  /** NumericDate, seconds. The store raises it to now plus the longest lifetime in use. */
  readonly until: number;
}

/** What the blacklist learns. Idempotent and monotonic: applied in any order, any number of times, it ends the same. */
export type Addition = TokenRevocation | UnrecordedTokenRevocation | CutOff;

export const additionKinds = ["token", "unrecorded-token", "cut-off"] as const satisfies Addition["kind"][];

/** The greatest error between two clocks that is allowed: every entry is kept that much longer. */
export const clockErrorAllowedMs = 5 * 60_000;
