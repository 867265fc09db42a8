import type { Row, Spread, Target } from "./contest.ts";

const nameWidth = 42;

/** All rows of one contest: what it took us, and against whom by how much, and whether that is what was aimed at. */
export function renderRows(rows: readonly Row[]): string {
  const [first] = rows;
  if (first === undefined) return "";
  const { bench, params, ours, unit } = first;
  const what = Object.entries(params)
    .map(([name, value]) => `${name} ${typeof value === "number" ? shortNumber(value) : value}`)
    .join(", ");
  return [
    `${bench}${what === "" ? "" : ` (${what})`}`,
    `  ${ours.name.padEnd(nameWidth)} ${spread(ours, unit)}`,
    ...rows.map(
      ({ baseline, ...row }) =>
        `  ${baseline.name.padEnd(nameWidth)} ${spread(baseline, unit)}   ratio ${significant(row.ratio)}${targetText(row)}`,
    ),
  ].join("\n");
}

function targetText({ target, is_met: isMet, unit }: Omit<Row, "baseline">): string {
  if (target === undefined) return "";
  return `; target: ${boundText(target, unit)}: ${isMet === true ? "met" : "MISSED"}`;
}

export function boundText({ of, atMost, atLeast }: Target, unit: string): string {
  const value = of === "ratio" ? "ratio" : `ours, in ${unit},`;
  if (atMost !== undefined) return `${value} <= ${significant(atMost)}`;
  return `${value} >= ${significant(atLeast ?? 0)}`;
}

function spread({ median, min, max }: Spread, unit: string): string {
  return `${significant(median)} ${unit}   (${significant(min)} to ${significant(max)})`;
}

/** Three digits that say something. */
export function significant(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Math.abs(value) >= 1_000) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

export function shortNumber(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`;
  return value >= 1e3 ? `${value / 1e3}k` : String(value);
}
