import type { Verification } from "../../shared/audit/verify-audit.ts";
import { textsOfKnown } from "./known.ts";

/** What an operator reads: every finding, then what was read, and what to keep for the next time. */
export function linesOf({ findings, records, chains, open, known }: Verification): string[] {
  const found = findings.map(({ chain, place, detail }) =>
    chain === "register"
      ? `register, entry ${place}: ${detail}`
      : `chain ${chain}, record ${place}: ${detail}`,
  );
  const kept = textsOfKnown(known);
  const verdict = findings.length === 0 ? "the audit is whole" : `${findings.length} found`;
  return [
    ...found,
    `${verdict}: ${records} records in ${chains} chains, ${open} of them without an end (of processes that run or were killed)`,
    ...(kept.length === 0 ? [] : [`keep for the next time, outside the database: --known ${kept.join(" ")}`]),
  ];
}

export function jsonOf({ known, ...verification }: Verification): string {
  return JSON.stringify({ ...verification, known: textsOfKnown(known) });
}
