/** The longest lifetime of a token and the longest staleness of an instance: of one instance, or of all in use. */
export interface Longest {
  readonly tokenLifetimeSeconds: number;
  readonly maxStalenessMs: number;
}

/** As the fence holds them; a later state of it has a higher version. */
export interface VersionedLongest extends Longest {
  readonly version: number;
}

/** What somebody wanted the fence to cover. */
export interface WantedLongest extends Longest {
  /** How often somebody wanted these. */
  readonly times: number;
}

/** All of it as it was seen, but for what is to be. */
export interface Lowering {
  readonly incarnation: string;
  /** The confirmed values as they were seen. */
  readonly from: Longest;
  /** Those that are to be, and the version that the fence will have by being lowered to them. */
  readonly to: VersionedLongest;
  /** What was seen to be wanted. */
  readonly wanted: readonly WantedLongest[];
}

/** What any instance may be set to at the most; `best_effort` accepts for an hour without a sync. */
export const longestOfAny: Longest = { tokenLifetimeSeconds: 86_400, maxStalenessMs: 3_600_000 };

export const nothingLong: VersionedLongest = { tokenLifetimeSeconds: 0, maxStalenessMs: 0, version: 0 };

/** Each the greatest of all. */
export function longestOf(all: readonly Longest[]): Longest {
  return {
    tokenLifetimeSeconds: Math.max(0, ...all.map(({ tokenLifetimeSeconds }) => tokenLifetimeSeconds)),
    maxStalenessMs: Math.max(0, ...all.map(({ maxStalenessMs }) => maxStalenessMs)),
  };
}

/** Whether both are at least as long as what is needed. */
export function covers(longest: Longest, needed: Longest): boolean {
  return (
    longest.tokenLifetimeSeconds >= needed.tokenLifetimeSeconds &&
    longest.maxStalenessMs >= needed.maxStalenessMs
  );
}
