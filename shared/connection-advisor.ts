import { adviceOn } from "./connection-advice.ts";
import type { Dependency } from "./errors.ts";
import type { Log } from "./log.ts";

export interface ConnectionAdvisor {
  /** Tells what is to be changed, once for each thing until `worked`. */
  failed(error: unknown): void;
  worked(): void;
}

/** A server that refuses for good looks as if it were away: somebody must be told why. */
export function createConnectionAdvisor(
  about: { readonly dependency: Dependency; readonly isTls: boolean },
  log: Log,
): ConnectionAdvisor {
  let told = new Set<string>();
  let hasWorked = false;
  return {
    failed(error) {
      const advice = adviceOn({ ...about, error, hasWorked });
      if (advice === null || told.has(advice)) return;
      told.add(advice);
      log.error(`${about.dependency}.refused`, { advice, err: error });
    },
    worked() {
      hasWorked = true;
      if (told.size > 0) told = new Set();
    },
  };
}
