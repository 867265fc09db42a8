import { findServices } from "../services/find-services.ts";
import type { UsedServices } from "../services/start-services.ts";
import type { BenchContext } from "./benchmark.ts";
import { benchmarks } from "./benchmarks/index.ts";
import { type Row, runContest } from "./contest.ts";
import { describeMachine } from "./machine.ts";
import { parseOptions } from "./options.ts";
import { renderRows } from "./report.ts";

const options = parseOptions(
  process.argv,
  benchmarks.map(({ name }) => name),
);
const machine = describeMachine();
const progress = (line: string) => process.stderr.write(`bench: ${line}\n`);
const write = (line: string) => process.stdout.write(`${line}\n`);
const undos: (() => Promise<unknown>)[] = [];
let found: Promise<UsedServices> | undefined;

const context: BenchContext = {
  isShort: options.short,
  services() {
    found ??= findServices(process.env).then((services) => {
      undos.unshift(() => services.release());
      return services;
    });
    return found;
  },
  atEnd: (undo) => void undos.push(undo),
  log: progress,
};

if (!options.json)
  write(
    Object.entries(machine)
      .map(([name, value]) => `${name} ${value}`)
      .join(", "),
  );
const missed: Row[] = [];
try {
  for (const benchmark of benchmarks) {
    if (!options.names.includes(benchmark.name)) continue;
    progress(`${benchmark.name}: ${benchmark.about}`);
    for await (const contest of benchmark.contests(context)) {
      const rows = "bench" in contest ? await runContest(contest) : contest;
      if (options.json) for (const row of rows) write(JSON.stringify({ ...row, machine }));
      else write(`\n${renderRows(rows)}`);
      missed.push(...rows.filter((row) => row.is_met === false));
    }
  }
} finally {
  for (const undo of undos.toReversed()) await undo();
}
if (missed.length > 0) progress(`${missed.length} targets were missed`);
