/** The six things that can be said about a subject, as CloudEvents types. */
export const eventTypes = [
  "user.deactivated",
  "user.reactivated",
  "user.deleted",
  "user.signed-out",
  "credentials.changed",
  "token.revoked",
] as const;

export type EventType = (typeof eventTypes)[number];

/** A user as another identity provider names him. */
export interface ExternalIdentity {
  readonly iss: string;
  readonly sub: string;
}

export interface EventDetails {
  readonly reason?: string;
  /** Who asked for it: a user's id, or the name of the upstream system. */
  readonly actor?: string;
  /** The user's epoch after the change. Counts only in our own events. */
  readonly epoch?: number;
  readonly jti?: string;
  /** NumericDate, seconds. The recorded expiry of a token wins over it. */
  readonly exp?: number;
  /** Sign-out of one session. Counts only in our own events. */
  readonly sid?: string;
  readonly external?: ExternalIdentity;
}

/** A decoded event. Identified by (source, id). */
export interface QuashEvent {
  readonly id: string;
  readonly source: string;
  readonly type: EventType;
  /** The user's id; undefined where `details.external` names the user instead. */
  readonly subject?: string;
  /** Milliseconds; one without a fraction stands for the last millisecond of its second when decoded. */
  readonly timeMs: number;
  readonly details: EventDetails;
}

/** `source` of the events that this namespace publishes itself. */
export function ownSource(namespace: string): string {
  return `/quash/${namespace}`;
}

/** `source` of what was asked of us, was held, and was not confirmed: no event of ours, since it changed nobody. */
export function heldSource(namespace: string): string {
  return `${ownSource(namespace)}/held`;
}

export const deadLetterReasons = [
  "not-json",
  "envelope-invalid",
  "unknown-type",
  "data-invalid",
  "clock-out-of-range",
  "too-large",
  "hold-expired",
  "last-administrator",
  "internal-error",
] as const;

export type DeadLetterReason = (typeof deadLetterReasons)[number];
