import { generateJwks } from "../../api/keys/generate-jwks.ts";
import { parseKeys } from "../../api/tokens/keys.ts";
import { createPlan, type Plan } from "./plan.ts";
import { type RunResult, run } from "./run.ts";
import { loadSettings } from "./settings.ts";

export type RunSeed = (seed: number | Plan, onTrace?: (line: string) => void) => Promise<RunResult>;

/** What all runs of one process share: the keys, whose bytes no trace shows, and the product's settings. */
export async function createRunSeed(): Promise<RunSeed> {
  const keys = await parseKeys(await generateJwks("ES256"));
  const settings = loadSettings();
  return (seed, onTrace) => {
    const plan = typeof seed === "number" ? createPlan(seed) : seed;
    return run(plan, { keys, settings, ...(onTrace === undefined ? {} : { onTrace }) });
  };
}
