import type { Invariant } from "./history.ts";
import type { Plan, PlanItem } from "./plan.ts";

export interface Shrunk {
  readonly plan: Plan;
  readonly runs: number;
}

/**
 * Leaves out what the violation does not need: delta debugging (Zeller, Hildebrandt, 2002) on the items of the plan.
 * `fails` runs a plan and tells whether the invariant is still violated. Ends after `runsAtMost`.
 */
export async function shrink(
  plan: Plan,
  fails: (plan: Plan) => Promise<boolean>,
  runsAtMost = 200,
): Promise<Shrunk> {
  let items = plan.items;
  let parts = 2;
  let runs = 0;
  while (items.length > 1 && runs < runsAtMost) {
    const size = Math.ceil(items.length / parts);
    const smaller = await firstFailing(size);
    if (smaller !== null) {
      items = smaller;
      parts = Math.max(2, parts - 1);
    } else if (size === 1) break;
    else parts = Math.min(items.length, parts * 2);
  }
  return { plan: { ...plan, items }, runs };

  async function firstFailing(size: number): Promise<readonly PlanItem[] | null> {
    for (let start = 0; start < items.length && runs < runsAtMost; start += size) {
      const rest = [...items.slice(0, start), ...items.slice(start + size)];
      runs += 1;
      if (await fails({ ...plan, items: rest })) return rest;
    }
    return null;
  }
}

export function violates(
  result: { readonly violations: readonly { readonly invariant: Invariant }[] },
  invariant: Invariant,
): boolean {
  return result.violations.some((violation) => violation.invariant === invariant);
}
