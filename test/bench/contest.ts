/** What one side did once: `value` is one of the contest's unit for one operation. */
export interface Repetition {
  readonly value: number;
  /** What it answered, in a form that must be equal to the other sides'. */
  readonly answers: string;
}

export interface OpenSide {
  run(): Promise<Repetition>;
  close(): Promise<void>;
}

export interface Side {
  readonly name: string;
  open(): Promise<OpenSide>;
}

/** A bound on the ratio, or on our own median where the unit says it all. */
export interface Target {
  readonly of: "ratio" | "ours";
  readonly atMost?: number;
  readonly atLeast?: number;
}

export interface Baseline extends Side {
  readonly target?: Target;
}

export interface Contest {
  readonly bench: string;
  readonly params: Readonly<Record<string, number | string>>;
  readonly unit: string;
  readonly ours: Side;
  readonly baselines: readonly Baseline[];
  readonly repetitions: number;
  /** What is measured happens to a side only once: each repetition opens it anew. */
  readonly opensAnew?: boolean;
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface Row {
  readonly bench: string;
  readonly params: Contest["params"];
  readonly baseline: Spread & { readonly name: string };
  readonly ours: Spread & { readonly name: string };
  readonly unit: string;
  /** Ours / baseline. */
  readonly ratio: number;
  readonly repetitions: number;
  readonly target?: Target;
  readonly is_met?: boolean;
}

/** Runs the sides in turns, back and forth, after one turn that is not counted. Throws when their answers differ. */
export async function runContest(contest: Contest): Promise<Row[]> {
  const sides = [contest.ours, ...contest.baselines];
  const values = new Map<Side, number[]>(sides.map((side) => [side, []]));
  const open = new Map<Side, OpenSide>();
  const warmUps = contest.opensAnew === true ? 0 : 1;
  try {
    for (let turn = -warmUps; turn < contest.repetitions; turn += 1) {
      const answers = new Map<string, string>();
      for (const side of turn % 2 === 0 ? sides : sides.toReversed()) {
        const opened = open.get(side) ?? (await side.open());
        open.set(side, opened);
        const repetition = await opened.run();
        answers.set(side.name, repetition.answers);
        if (turn >= 0) values.get(side)?.push(repetition.value);
        if (contest.opensAnew !== true) continue;
        open.delete(side);
        await opened.close();
      }
      requireSameAnswers(contest, answers);
    }
  } finally {
    for (const opened of open.values()) await opened.close();
  }
  const ours = { name: contest.ours.name, ...spreadOf(values.get(contest.ours) ?? []) };
  const { bench, params, unit, repetitions } = contest;
  return contest.baselines.map((baseline) => {
    const theirs = { name: baseline.name, ...spreadOf(values.get(baseline) ?? []) };
    // What is done once, to see that it runs, meets no target and misses none.
    const target = repetitions > 1 ? baseline.target : undefined;
    return rowOf({ bench, params, unit, repetitions, ours, baseline: theirs, ...(target && { target }) });
  });
}

function requireSameAnswers({ bench }: Contest, answers: ReadonlyMap<string, string>): void {
  if (new Set(answers.values()).size <= 1) return;
  const each = [...answers].map(([name, answer]) => `${name}: ${answer}`).join("; ");
  throw new Error(`${bench}: the sides answered differently: ${each}`);
}

export function rowOf(measured: Omit<Row, "ratio" | "is_met">): Row {
  const { ours, baseline, target } = measured;
  const ratio = ours.median / baseline.median;
  const value = target?.of === "ours" ? ours.median : ratio;
  return { ...measured, ratio, ...(target && { is_met: isMet(target, value) }) };
}

function isMet({ atMost = Infinity, atLeast = -Infinity }: Target, value: number): boolean {
  return value <= atMost && value >= atLeast;
}

export function spreadOf(values: readonly number[]): Spread {
  const ordered = values.toSorted((a, b) => a - b);
  const middle = Math.floor(ordered.length / 2);
  const [below = Number.NaN, above = Number.NaN] = [
    ordered[ordered.length % 2 === 1 ? middle : middle - 1],
    ordered[middle],
  ];
  return {
    median: (below + above) / 2,
    min: ordered[0] ?? Number.NaN,
    max: ordered.at(-1) ?? Number.NaN,
  };
}
