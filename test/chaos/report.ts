import type { Verdict } from "./check/check-log.ts";

const shownViolations = 40;

export function renderReport(verdict: Verdict): string {
  const { seed, seconds, operations, violations } = verdict;
  const kinds = Object.entries(verdict.faults).map(([kind, count]) => {
    const refusedMs = verdict.longest_refusal_ms_by_fault[kind] ?? 0;
    return `  ${kind.padEnd(26)} ${String(count).padStart(4)}   ${(refusedMs / 1_000).toFixed(1).padStart(6)} s`;
  });
  return [
    `seed ${seed}, ${seconds} s, ${operations} operations`,
    `faults                        times   longest time in which an instance accepted nobody`,
    ...kinds,
    `accepted after the bound: ${verdict.accepted_after_bound} (of at least ${verdict.revoked_probes} tries on each instance)`,
    `own events that had to be applied within 5 s: ${verdict.timed_events}`,
    `lost events: ${verdict.lost_events}`,
    `innocents refused: ${verdict.innocents_refused} (of at least ${verdict.innocent_probes} requests on each instance)`,
    `longest refusal of service: ${(verdict.longest_refusal_ms / 1_000).toFixed(1)} s`,
    ...renderViolations(violations),
  ].join("\n");
}

/** The first ones: those that come later often follow from them. */
export function renderViolations(violations: Verdict["violations"]): string[] {
  const shown = violations
    .slice(0, shownViolations)
    .map(({ invariant, detail }) => `  ${invariant}: ${detail}`);
  const more = violations.length - shown.length;
  return [
    violations.length === 0 ? "every promise was kept" : `broken promises: ${violations.length}`,
    ...shown,
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}
