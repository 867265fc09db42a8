/** One line of `/readyz`, in every process. */
export interface Check {
  readonly status: "ok" | "unavailable";
  /** What is missing; null when nothing is. */
  readonly detail: string | null;
  /** Since when (RFC 3339); null when nothing is. */
  readonly since: string | null;
}

export const okCheck: Check = { status: "ok", detail: null, since: null };

export function unavailableCheck(detail: string, sinceMs: number): Check {
  return { status: "unavailable", detail, since: new Date(sinceMs).toISOString() };
}
