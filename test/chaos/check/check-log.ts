import type { LogEntry } from "../log-entry.ts";
import { checkAgreement } from "./check-agreement.ts";
import { checkLost } from "./check-lost.ts";
import { checkProbes } from "./check-probes.ts";
import { checkPrompt } from "./check-prompt.ts";
import { checkStale } from "./check-stale.ts";
import type { Violation } from "./finding.ts";
import { groupBy } from "./group-by.ts";
import { createHistory, type History } from "./history.ts";
import { gapsOf, longest, longestByKind } from "./refusals.ts";

export interface Verdict {
  readonly seed: number;
  readonly seconds: number;
  readonly operations: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly revoked_probes: number;
  readonly innocent_probes: number;
  /** Own events that had to be applied in time, whatever else failed. */
  readonly timed_events: number;
  readonly accepted_after_bound: number;
  readonly lost_events: number;
  readonly innocents_refused: number;
  readonly longest_refusal_ms: number;
  readonly longest_refusal_ms_by_fault: Readonly<Record<string, number>>;
  readonly violations: readonly Violation[];
}

/** Decides from the log alone whether the promises were kept. */
export function checkLog(entries: readonly LogEntry[]): Verdict {
  const history = createHistory(entries);
  const probes = checkProbes(history);
  const lost = checkLost(history);
  const stale = checkStale(history);
  const prompt = checkPrompt(history);
  const others = [...prompt.violations, ...checkAgreement(history), ...checkWhole(history, probes)];
  const gaps = gapsOf(probes.ofInnocents.filter(({ sent }) => sent < history.finalAt));
  return {
    seed: history.run.seed,
    seconds: history.run.seconds,
    operations: entries.filter((entry) => "sent" in entry).length,
    faults: countBy(history.faults.map(({ kind }) => kind)),
    revoked_probes: probes.revokedProbes,
    innocent_probes: probes.innocentProbes,
    timed_events: prompt.judged,
    // An instance that has lost its lease must accept nothing, so what it accepts comes after the bound too.
    accepted_after_bound: probes.acceptedAfterBound + stale.length,
    lost_events: lost.length,
    innocents_refused: probes.innocentsRefused,
    longest_refusal_ms: longest(gaps),
    longest_refusal_ms_by_fault: longestByKind(gaps, history),
    violations: [...probes.violations, ...stale, ...lost, ...others],
  };
}

/** A run that broke off, or that could not have shown anything, proves nothing. */
function checkWhole(
  history: History,
  { revokedProbes, innocentProbes }: { readonly revokedProbes: number; readonly innocentProbes: number },
): Violation[] {
  const findings = [
    history.finalAt === Infinity && "the run broke off",
    revokedProbes === 0 && "on some instance no request could have shown that a revoked token is accepted",
    innocentProbes === 0 && "on some instance no request could have shown that an innocent is refused",
  ];
  return findings.filter((detail) => detail !== false).map((detail) => ({ invariant: "log", detail }));
}

function countBy(names: readonly string[]): Record<string, number> {
  const counts = [...groupBy(names, (name) => name)].map(([name, all]) => [name, all.length] as const);
  return Object.fromEntries(counts.toSorted(([a], [b]) => a.localeCompare(b)));
}
