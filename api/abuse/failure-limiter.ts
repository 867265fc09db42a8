import { createHash } from "node:crypto";
import { AppError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { Metrics } from "../../shared/metrics.ts";
import type { FailureCount, FailureCounters } from "../../shared/ports/failure-counters.ts";
import { createGates } from "./gates.ts";
import { rateLimitHeaders, type Standing, secondsUntilReset } from "./rate-limit-headers.ts";

/** What failures are counted by, in the order in which they are looked at. Keys of different kinds never meet. */
const kinds = ["address", "account", "client"] as const;
export type LimitedBy = (typeof kinds)[number];

export interface FailureLimit {
  /** So many within a window, then no more until it ends; 0 is no limit. */
  readonly failures: number;
  readonly windowSeconds: number;
}

export type FailureLimits = Readonly<Record<LimitedBy, FailureLimit>>;
export type FailureKeys = Readonly<Partial<Record<LimitedBy, string>>>;

export interface FailureLimiter {
  /**
   * Runs `attempt`, unless one of its keys has no failures left: then `rate-limited`, and the credentials are not looked
   * at, so that guessing on tells nothing. What fails counts, for keys that name nobody too; `isFailure` tells what
   * does, every 401 unless given. The failure that uses up a limit is itself answered with `rate-limited`.
   */
  guard<T>(keys: FailureKeys, attempt: () => Promise<T>, isFailure?: (error: unknown) => boolean): Promise<T>;
}

export interface FailureLimiterDeps {
  readonly counters: FailureCounters;
  readonly limits: FailureLimits;
  readonly log: Log;
  readonly metrics: Pick<Metrics, "rateLimited">;
}

/**
 * Of one key no more attempts run at once than it has failures left, the others wait their turn: a burst of guesses gets
 * no further than one guess after another. That holds in each process; until their failures show in all of them, each
 * lets so many through.
 */
export function createFailureLimiter({ counters, limits, log, metrics }: FailureLimiterDeps): FailureLimiter {
  const gates = createGates();
  const limited = kinds
    .filter((by) => limits[by].failures > 0)
    .map((by) => ({ by, ...limits[by], counter: counters.open(by, limits[by].windowSeconds) }));

  function limitsOf(keys: FailureKeys) {
    return limited.flatMap((limit) => {
      const key = keys[limit.by];
      if (key === undefined) return [];
      const digest = digestOf(key);
      const standing = ({ failures, resetsInMs }: FailureCount): Standing => ({
        ...limit,
        remaining: Math.max(0, limit.failures - failures),
        resetsInMs,
      });
      return [
        {
          name: `${limit.by}:${digest}`,
          read: async () => standing(await limit.counter.read(digest)),
          add: async () => standing(await limit.counter.add(digest)),
        },
      ];
    });
  }

  async function room(read: () => Promise<Standing>): Promise<number> {
    const standing = await read();
    if (standing.remaining === 0) throw refusal([standing]);
    return standing.remaining;
  }

  function refusal(standings: readonly Standing[]): AppError {
    const usedUp = standings.filter(({ remaining }) => remaining === 0);
    for (const { by } of usedUp) metrics.rateLimited.inc({ by });
    const seconds = Math.max(...usedUp.map(secondsUntilReset));
    const names = usedUp.map(({ by }) => by).join(" and this ");
    return new AppError("rate-limited", `Too many attempts of this ${names} failed; wait ${seconds} s.`, {
      retryAfterSeconds: seconds,
      headers: rateLimitHeaders(standings),
    });
  }

  async function count(adding: readonly (() => Promise<Standing>)[], error: unknown): Promise<unknown> {
    const standings = await Promise.all(adding.map((add) => add()));
    const usedUp = standings.filter(({ remaining }) => remaining === 0);
    if (usedUp.length === 0) return withHeaders(error, rateLimitHeaders(standings));
    log.warn("abuse.failures-used-up", { by: usedUp.map(({ by }) => by) });
    return refusal(standings);
  }

  return {
    async guard(keys, attempt, isFailure = isRefusedCredential) {
      const counted = limitsOf(keys);
      const ways: (() => void)[] = [];
      try {
        for (const { name, read } of counted) ways.push(await gates.enter(name, () => room(read)));
        try {
          return await attempt();
        } catch (error) {
          if (counted.length === 0 || !isFailure(error)) throw error;
          throw await count(
            counted.map(({ add }) => add),
            error,
          );
        }
      } finally {
        for (const leave of ways) leave();
      }
    },
  };
}

function isRefusedCredential(error: unknown): boolean {
  return error instanceof AppError && error.rule.status === 401;
}

function withHeaders(error: unknown, headers: Record<string, string>): unknown {
  if (!(error instanceof AppError)) return error;
  const { code, message, cause, errors, retryAfterSeconds } = error;
  return new AppError(code, message, {
    cause,
    errors,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    headers: { ...error.headers, ...headers },
  });
}

/** Short, and no address of anybody's in the store. */
function digestOf(key: string): string {
  return createHash("sha256").update(key).digest("base64url").slice(0, 22);
}
