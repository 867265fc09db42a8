/**
 * What is awaited before the clock and the user are read for a new token: raising the longest lifetime in use in the
 * fence and the store. A deactivation that the read of the user misses is then applied after the raise, so that its
 * cut-off outlives the token. Runs `raise` until it has succeeded once; those who come meanwhile share the attempt.
 */
export function createPrepareTokens(raise: () => Promise<void>): PrepareTokens {
  let running: Promise<void> | undefined;
  return () =>
    (running ??= raise().catch((error: unknown) => {
      running = undefined;
      throw error;
    }));
}

export type PrepareTokens = () => Promise<void>;
