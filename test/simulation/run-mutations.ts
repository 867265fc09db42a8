import { createMutatedCopy } from "../support/mutated-copy.ts";
import { mutations } from "./mutations.ts";
import { runSeeds } from "./seed-pool.ts";

export interface MutationOutcome {
  readonly name: string;
  readonly found: boolean;
  /** How many it took; all of them, where it was not found. */
  readonly seeds: number;
  /** By which it was noticed; null where it was not. */
  readonly invariant: string | null;
}

export interface RunMutationsOptions {
  readonly only: string | undefined;
  readonly seedsAtMost: number;
  readonly onOutcome: (outcome: MutationOutcome) => void;
}

/** Each deliberate fault by itself, until a seed notices it. */
export async function runMutations(options: RunMutationsOptions): Promise<MutationOutcome[]> {
  const outcomes: MutationOutcome[] = [];
  for (const mutation of chosenMutations(options.only)) {
    const copy = await createMutatedCopy([mutation]);
    try {
      const results = await runSeeds({
        folder: copy.folder,
        firstSeed: 1,
        seeds: options.seedsAtMost,
        stopsAt: ({ violations }) => violations.length > 0,
      });
      const [found] = results
        .filter(({ violations }) => violations.length > 0)
        .toSorted((a, b) => a.seed - b.seed);
      const outcome = {
        name: mutation.name,
        found: found !== undefined,
        seeds: found?.seed ?? results.length,
        invariant: found?.violations[0]?.invariant ?? null,
      };
      outcomes.push(outcome);
      options.onOutcome(outcome);
    } finally {
      await copy.remove();
    }
  }
  return outcomes;
}

/** Throws a `RangeError` that lists the names when none fits. */
function chosenMutations(only = "") {
  const chosen = mutations.filter(({ name }) => name.toLowerCase().includes(only.toLowerCase()));
  if (chosen.length > 0) return chosen;
  const names = mutations.map(({ name }) => `  ${name}`).join("\n");
  throw new RangeError(`no mutation has "${only}" in its name; there are:\n${names}`);
}
