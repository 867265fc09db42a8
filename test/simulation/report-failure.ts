import { createPlan, numberOf, type Plan } from "./plan.ts";
import type { RunSeed } from "./run-seed.ts";
import { shrink, violates } from "./shrink.ts";

/** A failing seed, and the least of its schedule that still fails in the same way. */
export interface Failure {
  readonly seed: number;
  readonly invariant: string;
  readonly what: string;
  readonly schedule: Plan;
  readonly shrunkFrom: number;
  readonly runs: number;
}

/** Null when it does not fail again: what it depends on lies outside the simulation. */
export async function findFailure(seed: number, runSeed: RunSeed): Promise<Failure | null> {
  const plan = createPlan(seed);
  const [violation] = (await runSeed(plan)).violations;
  if (violation === undefined) return null;
  const { invariant, what } = violation;
  const { plan: schedule, runs } = await shrink(plan, async (smaller) =>
    violates(await runSeed(smaller), invariant),
  );
  return { seed, invariant, what, schedule, shrunkFrom: plan.items.length, runs };
}

/** Tells all that is needed to see it again: the least schedule that fails, and what happens under it. */
export async function reportFailure(
  failure: Failure,
  runSeed: RunSeed,
  write: (line: string) => void,
): Promise<void> {
  const { seed, invariant, what, schedule, shrunkFrom, runs } = failure;
  write(`seed ${seed} violates ${invariant}: ${what}`);
  write(`  its schedule, from ${shrunkFrom} down to ${schedule.items.length} items (${runs} runs):`);
  for (const line of describe(schedule)) write(`  ${line}`);
  write("  what happens:");
  const { digest } = await runSeed(schedule, (line) => write(`    ${line}`));
  const again = await runSeed(schedule);
  write(
    `  replayed: ${again.digest === digest ? "the same, to the last byte" : "NOT the same"} (${digest.slice(0, 16)})`,
  );
  write(`  all of it: ${replayCommand(seed)}`);
  write(`  the least: ${replayCommand(seed, schedule)}`);
}

export function replayCommand(seed: number, { items }: Partial<Plan> = {}): string {
  const least = items === undefined ? "" : ` --items ${items.map(numberOf).join(",")}`;
  return `npm run simulate -- --seed ${seed}${least}`;
}

export function describe({ seed, conditions, items }: Plan): string[] {
  return [
    `seed ${seed}: ${JSON.stringify(conditions)}`,
    ...items.map(({ atMs, what, draw }) => `${String(atMs).padStart(6)} ms  ${what}  (${draw})`),
  ];
}
