import { Command, InvalidArgumentError } from "commander";

export interface SimulationOptions {
  readonly seeds: number;
  readonly firstSeed: number;
  /** One seed was asked for: its schedule and everything that happens are shown. */
  readonly isReplay: boolean;
  /** Of its schedule, only the items with these numbers; all of them unless given. */
  readonly items: readonly number[] | undefined;
  readonly json: boolean;
  readonly mutations: boolean;
  /** Of the mutations, those whose name has this text in it. */
  readonly only: string | undefined;
}

const defaultSeeds = 1_000;

/** Ends the process with 1 and a sentence when the arguments make no sense. */
export function parseOptions(argv: readonly string[]): SimulationOptions {
  const command = new Command("simulate")
    .description("runs the real code under seeded faults, and checks the invariants")
    .option(
      "--seeds <n>",
      `how many seeds; ${defaultSeeds} unless given, with --mutations for each`,
      wholeNumber,
    )
    .option("--seed <s>", "the first seed; alone: replay this one, and show what happens", wholeNumber)
    .option("--items <list>", "with one seed: only these of its schedule, such as 3,17,40", numbers)
    .option("--mutations", "run against deliberate faults in the product: each must be found", false)
    .option("--only <text>", "with --mutations: those whose name has this text in it")
    .option("--json", "write JSON only to the standard output", false)
    .parse([...argv]);
  const given = command.opts<{
    seeds?: number;
    seed?: number;
    items?: readonly number[];
    mutations: boolean;
    only?: string;
    json: boolean;
  }>();
  if (given.only !== undefined && !given.mutations) command.error("error: --only needs --mutations");
  if (given.mutations && given.seed !== undefined)
    command.error("error: --mutations begins at seed 1: leave --seed out");
  const isReplay = given.seed !== undefined && given.seeds === undefined && !given.mutations;
  if (given.items !== undefined && !isReplay)
    command.error("error: --items needs one seed: --seed 7 --items 3,17");
  return {
    seeds: given.seeds ?? (given.mutations || given.seed === undefined ? defaultSeeds : 1),
    firstSeed: given.seed ?? 1,
    isReplay,
    items: given.items,
    json: given.json,
    mutations: given.mutations,
    only: given.only,
  };
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new InvalidArgumentError("expected a whole number from 1");
  return number;
}

function numbers(text: string): readonly number[] {
  const list = text.split(",").map(Number);
  if (!list.every((number) => Number.isSafeInteger(number) && number >= 0))
    throw new InvalidArgumentError("expected numbers with commas between them");
  return list;
}
