/** What was seen from outside, and in the very steps in which it had its effect. Times are true, in milliseconds. */

export type Invariant =
  | "I1"
  | "I1b"
  | "I2"
  | "I3"
  | "I4"
  | "I5"
  | "I6"
  | "I7"
  | "I8"
  | "I9"
  | "I10"
  | "receipt"
  | "crash";

export interface Violation {
  readonly invariant: Invariant;
  readonly atMs: number;
  readonly what: string;
}

/** An access token that a client got. */
export interface HeldToken {
  readonly jti: string;
  readonly user: string;
  readonly sid: string;
  readonly accessToken: string;
  /** When the sign-in of its session was sent. */
  readonly signInSentAtMs: number;
  readonly receivedAtMs: number;
  /** As recorded by the instance that minted it, by its own wall clock. */
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

/** Something that was asked for and that ends tokens. */
export interface Killer {
  readonly user: string;
  readonly by:
    | { readonly kind: "deactivation" | "sign-out" }
    | { readonly kind: "session"; readonly sid: string }
    | { readonly kind: "token"; readonly jti: string }
    /** An upstream event: by its effective time, a wall clock's. */
    | { readonly kind: "upstream"; readonly effectiveAtMs: number };
  readonly sentAtMs: number;
  /** When its acceptance was known to the client; null while it is not, Infinity when it was refused. */
  ackAtMs: number | null;
  /** Its row in the ledger; null while it is not known. */
  eventId: string | null;
  /** By another system, which is not told what becomes of it. */
  readonly isPublished?: boolean;
}

/** A change that gives a user back what a deactivation took. */
export interface Reactivation {
  readonly user: string;
  readonly sentAtMs: number;
}

export class History {
  readonly tokens: HeldToken[] = [];
  readonly killers: Killer[] = [];
  readonly reactivations: Reactivation[] = [];
  readonly violations: Violation[] = [];
  /** By ledger id: when the store and the ledger first held it, under the incarnation that the fence had. */
  readonly appliedAtMs = new Map<string, number>();
  readonly enforcedAtMs = new Map<string, number>();
  /** By session: the ledger's id of its end. */
  readonly sessionEnds = new Map<string, string>();
  /** Sessions that may have ended by a refresh token that was sent twice. */
  readonly doubtfulSessions = new Set<string>();
  readonly deadLettered = new Set<string>();
  readonly #seen = new Set<string>();

  /** One of a kind is enough: the first says what went wrong, the rest is what follows from it. */
  violate(invariant: Invariant, atMs: number, what: string): void {
    const key = `${invariant} ${what.slice(0, 16)}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.violations.push({ invariant, atMs, what });
  }

  eventIdOf({ eventId, by }: Killer): string | null {
    return eventId ?? (by.kind === "session" ? (this.sessionEnds.get(by.sid) ?? null) : null);
  }
}
