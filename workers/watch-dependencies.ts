import { type Check, okCheck, unavailableCheck } from "../shared/check.ts";
import type { Platform } from "../shared/ports/platform.ts";

export interface Dependency {
  /** What it means when it is not there, as it stands in `/readyz`. */
  readonly missing: string;
  /** An answer that rejects counts as no. */
  isThere(): Promise<boolean> | boolean;
}

export type Dependencies = Readonly<Record<string, Dependency>>;

export interface DependencyWatch {
  /** Asks all of them now. */
  look(): Promise<Readonly<Record<string, Check>>>;
  close(): void;
}

/** So that "since when" is known to about that, also when nobody asks for it. */
const lookEveryMs = 1_000;

/** Knows of each dependency whether it is there, and since when it is not. */
export function watchDependencies(
  dependencies: Dependencies,
  { clock, timers }: Pick<Platform, "clock" | "timers">,
): DependencyWatch {
  const startedAtMs = clock.wallMs();
  const missingSinceMs = new Map(Object.keys(dependencies).map((name) => [name, startedAtMs]));
  const stop = new AbortController();
  void keepLooking();

  async function look(): Promise<Readonly<Record<string, Check>>> {
    const checks = Object.entries(dependencies).map(async ([name, dependency]) => {
      const askedAtMs = clock.wallMs();
      return [name, noteAnswer(name, await isThere(dependency), askedAtMs)] as const;
    });
    return Object.fromEntries(await Promise.all(checks));
  }

  function noteAnswer(name: string, isThere: boolean, askedAtMs: number): Check {
    if (isThere) {
      missingSinceMs.delete(name);
      return okCheck;
    }
    const sinceMs = missingSinceMs.get(name) ?? askedAtMs;
    missingSinceMs.set(name, sinceMs);
    return unavailableCheck(dependencies[name]?.missing ?? "missing", sinceMs);
  }

  async function keepLooking(): Promise<void> {
    while (!stop.signal.aborted) {
      await look();
      await timers.sleep(lookEveryMs, stop.signal);
    }
  }

  return { look, close: () => stop.abort() };
}

async function isThere(dependency: Dependency): Promise<boolean> {
  try {
    return await dependency.isThere();
  } catch {
    return false;
  }
}
