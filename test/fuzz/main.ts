import type { Attempt, FuzzDoor } from "./door.ts";
import { doors } from "./doors/index.ts";
import { parseOptions } from "./options.ts";
import { type FuzzReport, runCase, runFuzz } from "./run-fuzz.ts";

const options = parseOptions(
  process.argv,
  doors.map(({ name }) => name),
);
const progress = (line: string) => process.stderr.write(`fuzz: ${line}\n`);
const write = (line: string) => process.stdout.write(`${line}\n`);
const door = doors.find(({ name }) => name === options.door);
if (door === undefined) throw new RangeError(`no door ${options.door}`);

if (options.case === undefined) {
  progress(`${door.name}: ${door.about}, for ${options.seconds} s from seed ${options.seed}`);
  const report = await runFuzz(door, {
    ...options,
    onProgress: (cases) => cases % 50_000 === 0 && progress(`${cases} cases`),
  });
  if (options.json) write(JSON.stringify(report));
  else for (const line of rendered(report)) write(line);
  // A run in which nothing was tried shows nothing.
  if (report.findings.length > 0 || report.cases === 0) process.exitCode = 1;
} else {
  const attempt = await replay(door, options.seed, options.case);
  write(options.json ? JSON.stringify(attempt) : shown(attempt));
  if (attempt.finding !== undefined) process.exitCode = 1;
}

async function replay({ open, hangMs }: FuzzDoor, seed: number, number: number): Promise<Attempt> {
  const opened = await open();
  try {
    return await runCase(opened, { seed, number, hangMs });
  } finally {
    await opened.close();
  }
}

function shown({ outcomes, finding }: Attempt): string {
  const told = finding === undefined ? "as it should be" : `${finding.what}\n${finding.input}`;
  return `${outcomes.join("\n")}\n${told}`;
}

function rendered({ door: name, seed, cases, outcomes, findings }: FuzzReport): string[] {
  const counts = Object.entries(outcomes).toSorted(([, a], [, b]) => b - a);
  return [
    ...counts.map(([outcome, count]) => `${String(count).padStart(9)}  ${outcome}`),
    ...findings.map(
      (one) =>
        `case ${one.case}: ${one.what}\n  ${one.input}\n  npm run fuzz -- --door ${name} --seed ${seed} --case ${one.case}`,
    ),
    `${cases} cases, ${findings.length} findings`,
  ];
}
