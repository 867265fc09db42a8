import { Command, Option } from "commander";
import { wholeNumberFrom } from "../support/whole-number.ts";

export interface FuzzCommandOptions {
  readonly door: string;
  readonly seconds: number;
  readonly seed: number;
  /** Only this one, to see it again. */
  readonly case?: number;
  readonly json: boolean;
}

/** Ends the process with 1 and a sentence when the arguments make no sense. */
export function parseOptions(argv: readonly string[], doors: readonly string[]): FuzzCommandOptions {
  return new Command("fuzz")
    .description("Tries a door of the product with inputs that are nearly good, on embedded parts.")
    .addOption(new Option("--door <name>", "which one").choices(doors).default(doors[0]))
    .option("--seconds <s>", "how long", wholeNumberFrom(0), 600)
    .option("--seed <s>", "the seed of all inputs", wholeNumberFrom(0), 1)
    .option(
      "--case <n>",
      "only the input of this number: shows it and how it is answered",
      wholeNumberFrom(0),
    )
    .option("--json", "print one JSON object on the last line", false)
    .parse([...argv])
    .opts<FuzzCommandOptions>();
}
