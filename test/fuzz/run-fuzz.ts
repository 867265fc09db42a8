import { createRandom } from "../support/random.ts";
import type { Attempt, FuzzDoor, OpenDoor } from "./door.ts";

export interface FuzzOptions {
  readonly seconds: number;
  readonly seed: number;
  readonly onProgress?: (cases: number) => void;
}

export interface CaseFinding {
  readonly case: number;
  readonly what: string;
  readonly input: string;
}

export interface FuzzReport {
  readonly door: string;
  readonly seed: number;
  readonly seconds: number;
  readonly cases: number;
  /** How often each answer was given. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly findings: readonly CaseFinding[];
}

const usual = { atOnce: 8, hangMs: 10_000 } as const;
const casesBetweenChecks = 2_000;
/** Enough to see what is wrong. */
const findingsKept = 20;

export interface Case {
  readonly seed: number;
  readonly number: number;
  readonly hangMs?: number | undefined;
}

export const runCase = (door: OpenDoor, { seed, number, hangMs = usual.hangMs }: Case): Promise<Attempt> =>
  inTime(door.attempt(createRandom(`${seed}/${number}`)), hangMs);

/** Cases 1, 2, 3 … until the time is up, or so much is wrong that more would tell nothing. */
export async function runFuzz(
  { name, open, atOnce = usual.atOnce, hangMs }: FuzzDoor,
  { seconds, seed, onProgress }: FuzzOptions,
): Promise<FuzzReport> {
  const door = await open();
  const outcomes: Record<string, number> = {};
  const findings: CaseFinding[] = [];
  const endsAt = performance.now() + seconds * 1_000;
  let cases = 0;

  async function work(): Promise<void> {
    while (performance.now() < endsAt && findings.length < findingsKept) {
      cases += 1;
      const number = cases;
      const attempt = await runCase(door, { seed, number, hangMs });
      for (const outcome of attempt.outcomes) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      const { finding } = attempt;
      if (finding !== undefined) findings.push({ case: number, ...finding });
      if (number % casesBetweenChecks !== 0) continue;
      onProgress?.(number);
      await check(number);
    }
  }

  async function check(number: number): Promise<void> {
    if (await door.isWell()) return;
    findings.push({ case: number, what: "what is good is no longer taken, or what is bad is", input: "" });
  }

  try {
    await Promise.all(Array.from({ length: atOnce }, work));
    await check(cases);
  } finally {
    await door.close();
  }
  return { door: name, seed, seconds, cases, outcomes, findings };
}

async function inTime(attempt: Promise<Attempt>, hangMs: number): Promise<Attempt> {
  let stop: NodeJS.Timeout | undefined;
  const late = new Promise<Attempt>((resolve) => {
    const hang = {
      outcomes: ["hang"],
      finding: { what: `no answer within ${hangMs} ms`, input: "see --case" },
    };
    stop = setTimeout(() => resolve(hang), hangMs);
  });
  return Promise.race([attempt, late]).finally(() => clearTimeout(stop));
}
