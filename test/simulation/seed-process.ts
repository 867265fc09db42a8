import { createRunSeed } from "./run-seed.ts";
import type { SeedResult, Task } from "./seed-pool.ts";

/** One of the processes that share the seeds: runs those that it is told, and tells what came of each. */
const runSeed = await createRunSeed();

process.on("message", (task: Task) => {
  runTask(task).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  });
});
process.send?.("ready");

async function runTask({ seeds }: Task): Promise<void> {
  for (const seed of seeds) {
    const { violations, steps, tokens } = await runSeed(seed);
    const result: SeedResult = { seed, steps, tokens, violations };
    process.send?.(result);
  }
  process.send?.("ready");
}
