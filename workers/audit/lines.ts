import type { Verification } from "../../shared/audit/verify-audit.ts";

/** What an operator reads: every finding, then what was read, and what to keep for the next time. */
export function linesOf({ findings, records, chains, open, last }: Verification): string[] {
  const found = findings.map(({ chain, place, detail }) =>
    chain === "register"
      ? `register, entry ${place}: ${detail}`
      : `chain ${chain}, record ${place}: ${detail}`,
  );
  const verdict = findings.length === 0 ? "the audit is whole" : `${findings.length} found`;
  return [
    ...found,
    `${verdict}: ${records} records in ${chains} chains, ${open} of them without an end (of processes that run or were killed)`,
    ...(last === null
      ? []
      : [`keep for the next time, outside the database: --known ${last.place}:${last.hash}`]),
  ];
}

export function jsonOf({ last, ...verification }: Verification): string {
  return JSON.stringify({ ...verification, known: last === null ? null : `${last.place}:${last.hash}` });
}
