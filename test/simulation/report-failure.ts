import { createPlan, type Plan } from "./plan.ts";
import type { RunSeed } from "./run-seed.ts";
import { shrink, violates } from "./shrink.ts";

/** Tells all that is needed to see it again: the least schedule that fails, and what happens under it. */
export async function reportFailure(
  seed: number,
  runSeed: RunSeed,
  write: (line: string) => void,
): Promise<void> {
  const plan = createPlan(seed);
  const first = await runSeed(plan);
  const [violation] = first.violations;
  if (violation === undefined) {
    write(`seed ${seed} did not fail again: what it depends on lies outside the simulation`);
    return;
  }
  const { invariant } = violation;
  write(`seed ${seed} violates ${invariant}: ${violation.what}`);
  const shrunk = await shrink(plan, async (smaller) => violates(await runSeed(smaller), invariant));
  write(
    `  its schedule, from ${plan.items.length} down to ${shrunk.plan.items.length} items (${shrunk.runs} runs):`,
  );
  for (const line of describe(shrunk.plan)) write(`  ${line}`);
  write("  what happens:");
  const { digest } = await runSeed(shrunk.plan, (line) => write(`    ${line}`));
  const again = await runSeed(shrunk.plan);
  write(
    `  replayed: ${again.digest === digest ? "the same, to the last byte" : "NOT the same"} (${digest.slice(0, 16)})`,
  );
  write(`  npm run simulate -- --seed ${seed}`);
}

export function describe({ seed, conditions, items }: Plan): string[] {
  return [
    `seed ${seed}: ${JSON.stringify(conditions)}`,
    ...items.map(({ atMs, what, draw }) => `${String(atMs).padStart(6)} ms  ${what}  (${draw})`),
  ];
}
