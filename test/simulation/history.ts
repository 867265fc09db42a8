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
  /** When the sign-in of its session was sent, and when it was answered. */
  readonly signInSentAtMs: number;
  readonly signedInAtMs: number;
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
  /** Infinity while no answer is known. */
  ackAtMs: number;
  /** Of another system's event, which is not answered: its row in the ledger. */
  readonly eventId: string | null;
}

export class History {
  readonly tokens: HeldToken[] = [];
  readonly killers: Killer[] = [];
  readonly reactivations: Reactivation[] = [];
  readonly violations: Violation[] = [];
  /** By ledger id: when the store and the ledger first held it, under the incarnation that the fence had. */
  readonly appliedAtMs = new Map<string, number>();
  /** By ledger id: when that began which a client was shown as its `applied_at`; the first one that was shown. */
  readonly shownAppliedAtMs = new Map<string, number>();
  readonly enforcedAtMs = new Map<string, number>();
  /** By session: the ledger's id of its end. */
  readonly sessionEnds = new Map<string, string>();
  /** Ledger ids of events that named somebody in another issuer's words who bore no name any more: they mean nobody. */
  readonly ofNobody = new Set<string>();
  /** Ledger ids of all events that have had a row. */
  readonly pending = new Set<string>();
  /** Told once of each event that the store and the ledger hold, and of each that everybody enforces. */
  onApplied: (eventId: string) => void = () => undefined;
  onEnforced: (eventId: string) => void = () => undefined;
  readonly #noted = new Map<string, number>();
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

  /** The ledger was given this time, a worker's, as the one at which the event was applied. */
  noteApplied(eventId: string, appliedAt: number, nowMs: number): void {
    const key = `${eventId} ${Math.floor(appliedAt)}`;
    if (!this.#noted.has(key)) this.#noted.set(key, nowMs);
  }

  /** A client was shown it. */
  showApplied(eventId: string, appliedAt: number): void {
    const notedAtMs = this.#noted.get(`${eventId} ${appliedAt}`);
    if (notedAtMs === undefined) return;
    const before = this.shownAppliedAtMs.get(eventId) ?? Infinity;
    this.shownAppliedAtMs.set(eventId, Math.min(before, notedAtMs));
  }

  /** From when on the bound counts; Infinity while it does not. */
  boundCountsFromMs(eventId: string): number {
    const appliedAtMs = this.appliedAtMs.get(eventId) ?? Infinity;
    return Math.min(appliedAtMs, this.shownAppliedAtMs.get(eventId) ?? Infinity);
  }
}
