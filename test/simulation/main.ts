import { generateJwks } from "../../api/keys/generate-jwks.ts";
import { parseKeys } from "../../api/tokens/keys.ts";
import { createPlan } from "./plan.ts";
import { run } from "./run.ts";
import { loadSettings } from "./settings.ts";

const keys = await parseKeys(await generateJwks("ES256"));
const [first = "1", count = "1", verbose] = process.argv.slice(2);
const startedAt = performance.now();
let steps = 0;
for (let seed = Number(first); seed < Number(first) + Number(count); seed += 1) {
  const result = await run(createPlan(seed), {
    keys,
    settings: loadSettings(),
    ...(verbose ? { onTrace: console.log } : {}),
  });
  steps += result.steps;
  for (const { invariant, what } of result.violations) console.log(seed, invariant, what);
  if (verbose) console.log(result.digest, result.steps);
}
console.log(`${count} seeds, ${steps} steps, ${Math.round(performance.now() - startedAt)} ms`);
process.exit();
