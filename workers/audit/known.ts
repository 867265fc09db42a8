import type { KnownAudit } from "../../shared/audit/verify-audit.ts";
import { CommandFault } from "../command-fault.ts";

const entryOfRegister = /^(\d{1,15}):([0-9a-f]{64})$/;
const recordOfChain = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):(\d{1,15}):([0-9a-f]{64})$/;

/** As `verify` prints them; those of the register stand in the log lines `audit.noted` too. */
export function parseKnown(texts: readonly string[]): KnownAudit {
  const register: KnownAudit["register"][number][] = [];
  const records: KnownAudit["records"][number][] = [];
  for (const text of texts) {
    const [, place, hash] = entryOfRegister.exec(text) ?? [];
    const [, chain, seq, recordHash] = recordOfChain.exec(text) ?? [];
    if (hash !== undefined) register.push({ place: Number(place), hash });
    else if (chain !== undefined && recordHash !== undefined)
      records.push({ chain, seq: Number(seq), hash: recordHash });
    else throw notKnown(text);
  }
  return { register, records };
}

/** What `parseKnown` takes. */
export function textsOfKnown({ register, records }: KnownAudit): string[] {
  return [
    ...register.map(({ place, hash }) => `${place}:${hash}`),
    ...records.map(({ chain, seq, hash }) => `${chain}:${seq}:${hash}`),
  ];
}

function notKnown(text: string): CommandFault {
  return new CommandFault(
    `--known ${text} is none; it is what an earlier verify printed: <place>:<64 hex digits>, or that of a record behind its chain.`,
  );
}
