import { readFileSync } from "node:fs";

export interface Instruction {
  readonly name: string;
  readonly rest: string;
}

export interface Stage {
  readonly base: string;
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

/** The stages of a Dockerfile with their instructions, continued lines joined. */
export function readStages(file = "Dockerfile"): readonly Stage[] {
  const text = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
  const lines = text.replaceAll(/\\\n/g, " ").split("\n");
  const instructions = lines
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map((line) => ({ name: line.split(" ", 1)[0] ?? "", rest: line.slice(line.indexOf(" ") + 1).trim() }));
  const stages: { base: string; name: string | undefined; instructions: Instruction[] }[] = [];
  for (const instruction of instructions) {
    if (instruction.name !== "FROM") {
      stages.at(-1)?.instructions.push(instruction);
      continue;
    }
    const [base = "", , name] = instruction.rest.split(/\s+/);
    stages.push({ base, name, instructions: [] });
  }
  return stages;
}

/** The instructions of one kind in a stage. */
export function named(stage: Stage, name: string): readonly string[] {
  return stage.instructions.filter((instruction) => instruction.name === name).map(({ rest }) => rest);
}
