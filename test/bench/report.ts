import type { Row, Spread, Target } from "./contest.ts";

/** A line of a table: who, against whom, by how much, and whether that is what was aimed at. */
export function renderRow(row: Row): string {
  const { bench, params, baseline, ours, unit, ratio } = row;
  const what = Object.entries(params)
    .map(([name, value]) => `${name} ${typeof value === "number" ? shortNumber(value) : value}`)
    .join(", ");
  const lines = [
    `${bench}${what === "" ? "" : ` (${what})`}`,
    `  ${ours.name.padEnd(36)} ${spread(ours, unit)}`,
    `  ${baseline.name.padEnd(36)} ${spread(baseline, unit)}`,
    `  ratio ${significant(ratio)}${targetText(row)}`,
  ];
  return lines.join("\n");
}

function targetText({ target, is_met: isMet, unit }: Row): string {
  if (target === undefined) return "";
  return `   target: ${boundText(target, unit)}   ${isMet === true ? "met" : "MISSED"}`;
}

function boundText({ of, atMost, atLeast }: Target, unit: string): string {
  const value = of === "ratio" ? "ratio" : `ours, in ${unit},`;
  if (atMost !== undefined) return `${value} <= ${significant(atMost)}`;
  return `${value} >= ${significant(atLeast ?? 0)}`;
}

function spread({ median, min, max }: Spread, unit: string): string {
  return `${significant(median)} ${unit}   (${significant(min)} to ${significant(max)})`;
}

/** Three digits that say something. */
function significant(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Math.abs(value) >= 1_000) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

function shortNumber(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`;
  return value >= 1e3 ? `${value / 1e3}k` : String(value);
}
