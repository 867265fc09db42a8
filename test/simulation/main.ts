import { parseOptions, type SimulationOptions } from "./options.ts";
import { createPlan, keepItems } from "./plan.ts";
import { describe, findFailure, replayCommand, reportFailure } from "./report-failure.ts";
import { runMutations } from "./run-mutations.ts";
import { createRunSeed } from "./run-seed.ts";
import { runSeeds, type SeedResult } from "./seed-pool.ts";

const shownFailures = 3;

const options = parseOptions(process.argv);
const progress = (line: string) => process.stderr.write(`${line}\n`);
const write = (line: string) => process.stdout.write(`${line}\n`);

if (options.mutations) await checkMutations(options).catch(explain);
else if (options.isReplay) await replay(options);
else await simulate(options);

async function simulate({ firstSeed, seeds, json }: SimulationOptions): Promise<void> {
  const startedAtMs = performance.now();
  let done = 0;
  const results = await runSeeds({
    firstSeed,
    seeds,
    onResult: ({ seed, violations }) => {
      done += 1;
      for (const { invariant, what } of violations) progress(`seed ${seed} violates ${invariant}: ${what}`);
      if (done % 500 === 0) progress(`simulate: ${done} of ${seeds} seeds`);
    },
  });
  const failing = results.filter(({ violations }) => violations.length > 0);
  const steps = results.reduce((sum, result) => sum + result.steps, 0);
  const tokens = results.reduce((sum, result) => sum + result.tokens, 0);
  if (failing.length > 0) await showFailures(failing.slice(0, shownFailures), json);
  if (json) write(JSON.stringify({ seeds: results.length, steps, violations: flat(failing) }));
  else {
    const seconds = (performance.now() - startedAtMs) / 1_000;
    write(
      `${results.length} ${results.length === 1 ? "seed" : "seeds"}, ${steps} steps, ${tokens} tokens in ${seconds.toFixed(1)} s; ${failing.length} seeds with violations`,
    );
  }
  if (tokens === 0) progress("nobody was given a token: nothing could have been shown");
  if (failing.length > 0 || tokens === 0) process.exitCode = 1;
}

/** The least schedules: in full, or with `--json` a line each, before the last one. */
async function showFailures(failing: readonly SeedResult[], json: boolean): Promise<void> {
  const runSeed = await createRunSeed();
  for (const { seed } of failing) {
    const failure = await findFailure(seed, runSeed);
    if (failure === null) progress(`seed ${seed} did not fail again: it depends on something outside`);
    else if (!json) await reportFailure(failure, runSeed, write);
    else {
      const { invariant, what, schedule, shrunkFrom, runs } = failure;
      const replay = replayCommand(seed, schedule);
      write(JSON.stringify({ seed, invariant, what, shrunk_from: shrunkFrom, runs, schedule, replay }));
    }
  }
}

async function replay({ firstSeed, items, json }: SimulationOptions): Promise<void> {
  const runSeed = await createRunSeed();
  const whole = createPlan(firstSeed);
  const plan = items === undefined ? whole : keepItems(whole, items);
  if (!json) for (const line of describe(plan)) write(line);
  const { violations, steps, digest } = await runSeed(plan, json ? undefined : write);
  if (json) write(JSON.stringify({ seeds: 1, steps, violations: flat([{ seed: firstSeed, violations }]) }));
  else write(`${steps} steps, ${violations.length} violations, digest ${digest}`);
  if (violations.length > 0) process.exitCode = 1;
}

async function checkMutations({ only, seeds, json }: SimulationOptions): Promise<void> {
  const outcomes = await runMutations({
    only,
    seedsAtMost: seeds,
    onOutcome: ({ name, found, seeds: needed, invariant }) =>
      (json ? progress : write)(
        `${found ? "found" : "NOT FOUND"}  ${name}: ${needed} seeds${invariant === null ? "" : `, ${invariant}`}`,
      ),
  });
  if (json) {
    write(
      JSON.stringify({
        mutations: outcomes.map(({ name, found, seeds: needed }) => ({ name, found, seeds: needed })),
      }),
    );
  } else write(`${outcomes.filter(({ found }) => found).length} of ${outcomes.length} mutations found`);
  if (outcomes.some(({ found }) => !found)) process.exitCode = 1;
}

/** An argument that fits nothing; all else is a fault of ours. */
function explain(error: unknown): void {
  if (!(error instanceof RangeError)) throw error;
  progress(`error: ${error.message}`);
  process.exitCode = 1;
}

function flat(results: readonly Pick<SeedResult, "seed" | "violations">[]) {
  return results.flatMap(({ seed, violations }) => violations.map(({ invariant }) => ({ seed, invariant })));
}
