import { generateJwks } from "../../api/keys/generate-jwks.ts";
import { parseKeys } from "../../api/tokens/keys.ts";
import type { Violation } from "./history.ts";
import { createPlan, type Plan } from "./plan.ts";
import { type RunResult, run } from "./run.ts";
import { loadSettings } from "./settings.ts";

export type RunSeed = (seed: number | Plan, onTrace?: (line: string) => void) => Promise<RunResult>;

/** What all runs of one process share: the keys, whose bytes no trace shows, and the product's settings. */
export async function createRunSeed(): Promise<RunSeed> {
  const keys = await parseKeys(await generateJwks("ES256"));
  const settings = loadSettings();
  const unhandled: Violation[] = [];
  // A real process would have ended by it.
  process.on("unhandledRejection", (error) => {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    unhandled.push({ invariant: "crash", atMs: Number.NaN, what: `unhandled rejection: ${what}` });
  });
  return async (seed, onTrace) => {
    const plan = typeof seed === "number" ? createPlan(seed) : seed;
    const result = await run(plan, { keys, settings, ...(onTrace === undefined ? {} : { onTrace }) });
    return { ...result, violations: [...result.violations, ...unhandled.splice(0)] };
  };
}
