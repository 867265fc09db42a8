import { InvalidArgumentError } from "commander";

/** Reads an option of a command. Throws commander's `InvalidArgumentError`, which ends the command with a sentence. */
export function wholeNumberFrom(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== "" && Number.isInteger(value) && value >= least && value <= most) return value;
    const upTo = most === Number.MAX_SAFE_INTEGER ? "" : ` and at most ${most}`;
    throw new InvalidArgumentError(`expected a whole number of at least ${least}${upTo}`);
  };
}
