export interface PrepareTokensDeps {
  /** Has the fence cover the longest values of this instance, and the store know it. */
  readonly raise: () => Promise<void>;
  readonly feed: { isAccepting(): boolean };
}

/**
 * What is awaited after the clock was read and before the user is read for a new token. A deactivation that the read of
 * the user misses is then applied while the longest lifetime in use is at least this instance's, so that its cut-off
 * outlives the token.
 *
 * While the instance accepts nothing is to be done: it was given a lease since the fence covers it, and nobody lowers the
 * fence below who is registered, nor for one longest lifetime after. While it does not accept it may be registered no
 * more, so nothing is remembered: the fence is raised before each token. Whoever lowers it has waited for one longest
 * lifetime since, and a token lives no longer from the reading of the clock, however long this process is paused.
 */
export function createPrepareTokens({ raise, feed }: PrepareTokensDeps): PrepareTokens {
  return async () => {
    if (!feed.isAccepting()) await raise();
  };
}

export type PrepareTokens = () => Promise<void>;
