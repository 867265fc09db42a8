/** "Within a minute". */
export const holdWindowMs = 60_000;

export interface CountedUser {
  readonly user: string;
  readonly atMs: number;
  readonly isWithin: boolean;
}

export interface RecentCount {
  readonly users: readonly string[];
  readonly most: number;
  readonly nowMs: number;
}

/**
 * Adds users to those that were counted, the oldest first: whether each is within `most` of the last minute. Whoever is
 * beyond it counts too, so that a dump does not pass in portions. No more are kept than are needed to tell.
 */
export function countRecentUsers(
  counted: readonly CountedUser[],
  { users, most, nowMs }: RecentCount,
): { readonly counted: readonly CountedUser[]; readonly areWithin: readonly boolean[] } {
  const recent = counted.filter(({ atMs }) => nowMs - atMs < holdWindowMs);
  const known = new Map(recent.map((one) => [one.user, one.isWithin]));
  const areWithin = users.map((user) => {
    const before = known.get(user);
    if (before !== undefined) return before;
    const isWithin = recent.length < most;
    recent.push({ user, atMs: nowMs, isWithin });
    known.set(user, isWithin);
    return isWithin;
  });
  return { counted: recent.slice(-(most + 1)), areWithin };
}
