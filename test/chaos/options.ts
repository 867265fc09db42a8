import { Command } from "commander";
import { wholeNumberFrom } from "../support/whole-number.ts";

export interface ChaosOptions {
  /** How long operations and faults go on, the quiet end included. */
  readonly seconds: number;
  readonly seed: number;
  /** Redis with a replica and three Sentinels, which fails over and splits. */
  readonly sentinel: boolean;
  readonly json: boolean;
  /** Shows instead that chaos and the load test notice when what they prove is taken out. */
  readonly mutated: boolean;
  /** Where the log goes that the checker reads; a temporary file unless given. */
  readonly log?: string;
}

export function parseOptions(argv: readonly string[]): ChaosOptions {
  const command = new Command("chaos")
    .description("The promises on real processes and real services, with kills, pauses, wipes and cuts.")
    .option("--seconds <s>", "how long to run", wholeNumberFrom(40), 600)
    .option("--seed <s>", "the seed of the schedule of faults", wholeNumberFrom(0), 1)
    .option(
      "--sentinel",
      "Redis with a replica and Sentinels: fail-overs that lose writes, and splits",
      false,
    )
    .option("--log <file>", "keep the log of all operations in this file")
    .option("--mutated", "show that chaos and load fail without reject-revoked, and without freshness", false)
    .option("--json", "print one JSON object on the last line", false);
  return command.parse(argv).opts<ChaosOptions>();
}
