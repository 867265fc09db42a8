import { groupBy } from "./group-by.ts";
import type { FaultSpan, History, Probe } from "./history.ts";

export interface Gap {
  readonly instance: string;
  readonly from: number;
  readonly to: number;
}

/** A fault goes on working for a while after it is healed: a repair, a lease. */
const aftermathMs = 10_000;

/** The times in which an instance accepted nobody: from one accepted request of an innocent to the next. */
export function gapsOf(ofInnocents: readonly Probe[]): readonly Gap[] {
  return [...groupBy(ofInnocents, ({ instance }) => instance)].flatMap(([instance, probes]) => {
    const accepted = probes
      .filter(({ status }) => status === 200)
      .map(({ done }) => done)
      .toSorted((a, b) => a - b);
    return accepted.slice(1).map((to, i) => ({ instance, from: accepted[i] ?? to, to }));
  });
}

/** The longest refusal of service while a fault of each kind was there or had just been healed. */
export function longestByKind(gaps: readonly Gap[], history: History): Readonly<Record<string, number>> {
  const byKind = groupBy(history.faults, ({ kind }) => kind);
  return Object.fromEntries(
    [...byKind].map(([kind, faults]) => [
      kind,
      longest(gaps.filter((gap) => faults.some((f) => concerns(f, gap)))),
    ]),
  );
}

export function longest(gaps: readonly Gap[]): number {
  return gaps.reduce((most, { from, to }) => Math.max(most, to - from), 0);
}

function concerns({ target, begin, healed }: FaultSpan, { instance, from, to }: Gap): boolean {
  const isElsewhere = target.startsWith("api") && !target.startsWith(instance);
  return !isElsewhere && from <= healed + aftermathMs && to >= begin;
}
