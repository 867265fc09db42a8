import type { Session } from "../../shared/ports/session-store.ts";

/** How long a session lives at most without being refreshed, in seconds. */
export interface IdleLifetime {
  readonly refreshIdleSeconds: number;
}

/** When a session ends by itself: by its absolute or its idle lifetime, whichever comes first (NIST SP 800-63B-4 §5). */
export function sessionEndMs(
  { expiresAtMs, lastUsedAtMs }: Pick<Session, "expiresAtMs" | "lastUsedAtMs">,
  { refreshIdleSeconds }: IdleLifetime,
): number {
  return Math.min(expiresAtMs, lastUsedAtMs + refreshIdleSeconds * 1_000);
}
