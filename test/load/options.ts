import { Command } from "commander";
import { wholeNumberFrom } from "../support/whole-number.ts";

export interface LoadOptions {
  readonly instances: number;
  readonly seconds: number;
  /** Deactivations a second, half of them over HTTP and half as upstream events. */
  readonly rate: number;
  /** Requests a second of users whom nobody deactivates. */
  readonly requests: number;
  /** How many of those are signed in. */
  readonly users: number;
  /** Of the closed loop: each asks again as soon as it has its answer. */
  readonly connections: number;
  readonly json: boolean;
  /** The entry of a system that runs already. */
  readonly url?: string;
}

/** The load stays bounded. */
const atLeastOne = wholeNumberFrom(1, 100_000);

export function parseOptions(argv: readonly string[]): LoadOptions {
  const command = new Command("load")
    .description(
      "Multi-instance load test: how fast a deactivation is refused everywhere, and that nothing else is.",
    )
    .option("--instances <n>", "API processes to start", atLeastOne, 3)
    .option("--seconds <s>", "how long to measure with deactivations going on", atLeastOne, 20)
    .option("--rate <n>", "deactivations a second", atLeastOne, 10)
    .option("--requests <n>", "other requests a second, each due at its own time", atLeastOne, 100)
    .option("--users <n>", "signed-in users that those requests are of", atLeastOne, 1_000)
    .option("--connections <n>", "clients that ask without a pause, at the end", atLeastOne, 32)
    .option("--url <url>", "a running system's entry; ADMIN_EMAIL and ADMIN_PASSWORD(_FILE) sign in")
    .option("--json", "print one JSON object on the last line", false);
  return command.parse(argv).opts<LoadOptions>();
}
