import { spawn } from "node:child_process";
import { once } from "node:events";
import { createMutatedCopy, type Mutation } from "../support/mutated-copy.ts";
import { mutations } from "./mutations.ts";

interface Program {
  readonly name: string;
  readonly args: readonly string[];
  /** What its output holds when it failed for the right reason. */
  readonly finding: RegExp;
}

const programs: readonly Program[] = [
  {
    name: "chaos",
    args: ["test/chaos/main.ts", "--seconds", "45", "--json"],
    finding: /"accepted_after_bound":[1-9]/,
  },
  {
    name: "load",
    args: ["test/load/main.ts", "--seconds", "5", "--rate", "2", "--users", "50", "--json"],
    finding: /"accepted_after_enforced":[1-9]|did not refuse a token/,
  },
];

export interface MutationResult {
  readonly mutation: string;
  readonly program: string;
  readonly exitCode: number | null;
  /** Exit code 1, and because of the broken promise. */
  readonly found: boolean;
}

/** Runs chaos and the load test on copies of the sources with one deliberate fault each. */
export async function runMutated(log: (line: string) => void): Promise<MutationResult[]> {
  const results: MutationResult[] = [];
  for (const mutation of mutations) results.push(...(await runWith(mutation, log)));
  return results;
}

async function runWith(mutation: Mutation, log: (line: string) => void): Promise<MutationResult[]> {
  const copy = await createMutatedCopy([mutation]);
  try {
    const results: MutationResult[] = [];
    for (const program of programs) {
      log(`${program.name} with ${mutation.name}`);
      const { exitCode, output } = await run(program, copy.folder);
      const found = exitCode === 1 && program.finding.test(output);
      log(`${found ? "found" : "NOT FOUND"}, exit code ${exitCode}; its last words:`);
      for (const line of output.trim().split("\n").slice(-4)) log(`  ${line}`);
      results.push({ mutation: mutation.name, program: program.name, exitCode, found });
    }
    return results;
  } finally {
    await copy.remove();
  }
}

async function run({ args }: Program, folder: string) {
  const child = spawn(process.execPath, ["--import", "tsx", ...args], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  }
  await once(child, "close");
  return { exitCode: child.exitCode, output };
}
