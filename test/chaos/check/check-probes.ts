import { deadFrom, innocentUntil } from "./fate.ts";
import { timeText, type Violation } from "./finding.ts";
import type { History, Mint, Probe } from "./history.ts";

export interface ProbeVerdict {
  readonly violations: readonly Violation[];
  /** The least of all instances: answers that could have shown a violation. */
  readonly revokedProbes: number;
  readonly innocentProbes: number;
  readonly acceptedAfterBound: number;
  readonly innocentsRefused: number;
  /** Of tokens that must be accepted by whoever is fresh. */
  readonly ofInnocents: readonly Probe[];
}

/**
 * I1: a token that is meant by an applied revocation is accepted by nobody after the bound, nor after its receipt
 * says enforced. I4: a token that nothing means is refused by nobody for being revoked. I6: at the end both hold on
 * every instance.
 */
export function checkProbes(history: History): ProbeVerdict {
  const fates = new Map<Mint, { readonly dead: number; readonly innocent: number }>();
  const revoked = new Map(history.run.instances.map((instance) => [instance, 0]));
  const innocent = new Map(revoked);
  const ofInnocents: Probe[] = [];
  const violations: Violation[] = [];

  for (const probe of history.probes) {
    const mint = history.mintOf(probe);
    if (mint === undefined) continue;
    const fate = fates.get(mint) ?? {
      dead: deadFrom(mint, history),
      innocent: innocentUntil(mint, history),
    };
    fates.set(mint, fate);
    const isDead = probe.sent > fate.dead;
    const isInnocent = probe.done < fate.innocent;
    if (isInnocent) ofInnocents.push(probe);
    const isAnswer = probe.status === 200 || probe.status === 401;
    if (isDead && isAnswer) count(revoked, probe.instance);
    if (isInnocent && isAnswer) count(innocent, probe.instance);
    const where = `${probe.instance} answered ${probe.status} ${probe.code ?? ""} to ${probe.token} of ${mint.user} at ${timeText(probe.sent)}`;
    if (isDead && probe.status === 200) {
      violations.push({ invariant: "I1", detail: `${where}, dead since ${timeText(fate.dead)}` });
    }
    if (isInnocent && probe.status === 401) violations.push({ invariant: "I4", detail: where });
    const isConverged = probe.status === (isDead ? 401 : 200);
    if (probe.sent >= history.finalAt && (isDead || isInnocent) && !isConverged) {
      violations.push({ invariant: "I6", detail: where });
    }
  }
  return {
    violations,
    revokedProbes: Math.min(...revoked.values()),
    innocentProbes: Math.min(...innocent.values()),
    acceptedAfterBound: violations.filter(({ invariant }) => invariant === "I1").length,
    innocentsRefused: violations.filter(({ invariant }) => invariant === "I4").length,
    ofInnocents,
  };
}

/** Who joined at the end is not measured by it. */
function count(counts: Map<string, number>, instance: string): void {
  const before = counts.get(instance);
  if (before !== undefined) counts.set(instance, before + 1);
}
