import { readFileSync, writeFileSync } from "node:fs";
import { Command } from "commander";
import type { Row } from "../contest.ts";
import { boundText, shortNumber, significant } from "../report.ts";

/*
 * npm run bench -- --json > rows.json
 * npm run bench:table -- rows.json docs/performance.md
 */
const marks = { begin: "<!-- results -->", end: "<!-- end of results -->" };

const command = new Command("bench:table")
  .description("Puts the rows of the benchmarks into a page, as a table between its two marks.")
  .argument("<rows>", "a file of what `npm run bench -- --json` prints")
  .argument("<page>", `a Markdown file with the lines ${marks.begin} and ${marks.end}`)
  .parse();
const [rowsFile = "", pageFile = ""] = command.args;
const rows = readFileSync(rowsFile, "utf8")
  .split("\n")
  .filter((line) => line.startsWith('{"bench"'))
  .map((line) => JSON.parse(line) as Row & { readonly machine: Readonly<Record<string, string | number>> });
const page = readFileSync(pageFile, "utf8");
const [before, rest] = page.split(`${marks.begin}\n`);
const after = rest?.split(marks.end)[1];
if (before === undefined || after === undefined) {
  command.error(`error: ${pageFile} lacks the lines ${marks.begin} and ${marks.end}`);
}
const machine = Object.entries(rows[0]?.machine ?? {})
  .map(([name, value]) => `${name} ${value}`)
  .join(", ");
const table = [
  `Measured on: ${machine}.`,
  "",
  "| benchmark | Quash | against | | ratio | target |",
  "|---|---|---|---|---|---|",
  ...rows.map(lineOf),
].join("\n");
writeFileSync(pageFile, `${before}${marks.begin}\n\n${table}\n\n${marks.end}${after}`);

function lineOf({ bench, params, ours, baseline, unit, ratio, target, is_met: isMet }: Row): string {
  const what = Object.entries(params)
    .map(([name, value]) => `${name} ${typeof value === "number" ? shortNumber(value) : value}`)
    .join(", ");
  const aim =
    target === undefined ? "" : `${boundText(target, unit)}: ${isMet === true ? "met" : "**missed**"}`;
  const cells = [
    `${bench}${what === "" ? "" : `<br>${what}`}`,
    `${significant(ours.median)} ${unit}`,
    baseline.name,
    `${significant(baseline.median)} ${unit}`,
    significant(ratio),
    aim,
  ];
  return `| ${cells.join(" | ")} |`;
}
