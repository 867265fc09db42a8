/** How far a limit is from being used up. */
export interface Standing {
  readonly by: string;
  readonly failures: number;
  readonly windowSeconds: number;
  readonly remaining: number;
  readonly resetsInMs: number;
}

/** draft-ietf-httpapi-ratelimit-headers-10 §3: one item a limit; `q` is the quota, `w` the window, `r` what is left. */
export function rateLimitHeaders(standings: readonly Standing[]): Record<string, string> {
  const policies = standings.map(
    ({ by, failures, windowSeconds }) => `"${by}";q=${failures};w=${windowSeconds}`,
  );
  const limits = standings.map(
    (standing) => `"${standing.by}";r=${standing.remaining};t=${secondsUntilReset(standing)}`,
  );
  return { "ratelimit-policy": policies.join(", "), ratelimit: limits.join(", ") };
}

/** Rounded up, so that who waits for so long finds the window ended. */
export function secondsUntilReset({ resetsInMs }: Pick<Standing, "resetsInMs">): number {
  return Math.max(1, Math.ceil(resetsInMs / 1_000));
}
