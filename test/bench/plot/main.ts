import { readFileSync, writeFileSync } from "node:fs";
import { Command } from "commander";
import { z } from "zod";
import { type Chart, chartSize, renderChart } from "./chart.ts";

/*
 * npm run bench -- --json > rows.json
 * npm run bench:plot -- rows.json docs/growth.svg
 */
const side = z.object({ name: z.string(), median: z.number() });
const rowSchema = z.object({
  bench: z.literal("growth"),
  params: z.object({ of: z.string(), entries: z.number() }),
  baseline: side,
  ours: side,
  unit: z.string(),
});
type GrowthRow = z.infer<typeof rowSchema>;

const titles: Readonly<Record<string, string>> = {
  check: "one check",
  memory: "memory of an entry in an instance",
  prune: "pruning one minute in sixty",
  "redis-memory": "memory of an entry in Redis",
  "redis-memory-cut-offs": "memory of a cut-off in Redis",
  load: "loading all of it",
  "mass-revocation": "revoking one user of many",
};
const columns = 3;

const command = new Command("bench:plot")
  .description("Draws the rows of the benchmark `growth` as one SVG.")
  .argument("<rows>", "a file of what `npm run bench -- --json` prints")
  .argument("<svg>", "the file to write")
  .parse();
const [rowsFile = "", svgFile = ""] = command.args;
const rows = readFileSync(rowsFile, "utf8")
  .split("\n")
  .filter((line) => line.startsWith('{"bench":"growth"'))
  .map((line) => rowSchema.parse(JSON.parse(line)));
writeFileSync(svgFile, render(chartsOf(rows)));

function chartsOf(all: readonly GrowthRow[]): Chart[] {
  return Object.entries(titles).flatMap(([of, title]) => {
    const some = all.filter(({ params }) => params.of === of);
    const [first] = some;
    if (first === undefined) return [];
    const points = (which: "ours" | "baseline") =>
      some.map((row) => ({ x: row.params.entries, y: row[which].median }));
    const series = [
      { name: "Quash", points: points("ours") },
      { name: first.baseline.name, points: points("baseline") },
    ];
    return [{ title, unit: first.unit, series }];
  });
}

function render(charts: readonly Chart[]): string {
  const width = columns * chartSize.width;
  const height = Math.ceil(charts.length / columns) * chartSize.height;
  const placed = charts.map((chart, at) => {
    const x = (at % columns) * chartSize.width;
    const y = Math.floor(at / columns) * chartSize.height;
    return `<g transform="translate(${x} ${y})">\n${renderChart(chart)}\n</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...placed,
    "</svg>\n",
  ].join("\n");
}
