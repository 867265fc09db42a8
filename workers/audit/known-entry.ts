import type { KnownEntry } from "../../shared/audit/verify-audit.ts";
import { CommandFault } from "../command-fault.ts";

/** As `verify` prints it, and as it stands in the log lines `audit.noted`: place and hash. */
export function parseKnownEntry(text: string): KnownEntry {
  const [, place = "", hash = ""] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (hash !== "") return { place: Number(place), hash };
  throw new CommandFault(
    `--known ${text} is none; it is what an earlier verify printed: <place>:<64 hex digits>.`,
  );
}
