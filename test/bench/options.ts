import { Command } from "commander";

export interface BenchOptions {
  readonly names: readonly string[];
  readonly json: boolean;
  readonly short: boolean;
}

/** Ends the process with a message for a name that there is not. */
export function parseOptions(argv: readonly string[], known: readonly string[]): BenchOptions {
  const command = new Command("bench")
    .description("Measures Quash against the alternatives, both in the same run.")
    .argument("[name...]", `which ones; all unless given: ${known.join(", ")}`)
    .option("--json", "print one JSON object a line", false)
    .option(
      "--short",
      "small and once: shows that it runs and that the answers agree, measures nothing",
      false,
    )
    .parse(argv);
  const unknown = command.args.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    command.error(`error: there is no benchmark ${unknown.join(", ")}; there are ${known.join(", ")}`);
  }
  const { json, short } = command.opts<{ json: boolean; short: boolean }>();
  return { names: command.args.length > 0 ? command.args : known, json, short };
}
