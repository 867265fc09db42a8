import type { AuditRecord, AuditStore } from "../ports/audit-store.ts";
import { type Finding, type RegisterSummary, summariseRegister } from "./register-summary.ts";
import { ChainCheck, type KnownRecord } from "./verify-chain.ts";

export interface KnownEntry {
  readonly place: number;
  readonly hash: string;
}

/** What an earlier verification gave, kept where the database's owner cannot reach it. */
export interface KnownAudit {
  readonly register: readonly KnownEntry[];
  readonly records: readonly KnownRecord[];
}

export interface VerifyAuditOptions {
  /** How long the records are kept: what was younger when it was pruned was taken out. */
  readonly retentionMs: number;
  readonly nowMs: number;
  readonly known?: KnownAudit;
}

export interface Verification {
  readonly findings: readonly Finding[];
  readonly records: number;
  readonly chains: number;
  /** Chains that have no end: of processes that run, or that were killed. */
  readonly open: number;
  /** To be kept elsewhere, for the next time: what they stand for cannot be changed or taken out unseen then. */
  readonly known: KnownAudit;
}

const pageSize = 1_000;
const attempts = 3;
const nothingKnown: KnownAudit = { register: [], records: [] };

/**
 * Reads all of the audit, and says what was changed, inserted or taken out. What is written or pruned meanwhile is no
 * finding: where there are findings and the register has grown, it is read again. Without what was known before, who can
 * write to the database can write the whole audit anew, or cut off what came after the last head that was noted; with
 * it, he can still add to a chain that has no end, and to the register.
 */
export async function verifyAudit(
  store: Pick<AuditStore, "listByChain" | "listRegister" | "lastOfRegister">,
  options: VerifyAuditOptions,
): Promise<Verification> {
  for (let attempt = 1; ; attempt += 1) {
    const verification = await verifyOnce(store, options);
    if (verification.findings.length === 0 || attempt === attempts) return verification;
    const [last] = verification.known.register;
    if ((await store.lastOfRegister())?.place === last?.place) return verification;
  }
}

async function verifyOnce(
  store: Pick<AuditStore, "listByChain" | "listRegister">,
  { known = nothingKnown, ...time }: VerifyAuditOptions,
): Promise<Verification> {
  const register = await summariseRegister(store, {
    ...time,
    asked: known.register.map(({ place }) => place),
  });
  const findings = [...register.findings, ...known.register.flatMap((entry) => findingsOf(register, entry))];
  const openEnds: KnownRecord[] = [];
  const checkOf = (chain: string) => new ChainCheck(chain, register.chains.get(chain), known.records);
  const left = new Set(register.chains.keys());
  let check: ChainCheck | undefined;
  let records = 0;
  let last: AuditRecord | undefined;

  function end(ending: ChainCheck | undefined): void {
    findings.push(...(ending?.end() ?? []));
    const openEnd = ending?.openEnd() ?? null;
    if (openEnd !== null) openEnds.push(openEnd);
  }

  for (;;) {
    const page = await store.listByChain({ limit: pageSize, ...(last !== undefined && { after: last }) });
    for (const record of page) {
      if (check?.chain !== record.chain) {
        end(check);
        check = checkOf(record.chain);
        left.delete(record.chain);
      }
      check.add(record);
    }
    records += page.length;
    last = page.at(-1);
    if (last === undefined || page.length < pageSize) break;
  }
  end(check);
  for (const chain of left) end(checkOf(chain));
  findings.push(...known.records.filter(({ chain }) => !register.chains.has(chain)).map(goneWithItsChain));
  const summaries = [...register.chains.values()];
  const open = summaries.filter(({ endedAt }) => endedAt === null).length;
  const lastEntries = register.last === null ? [] : [register.last];
  const now = { register: lastEntries, records: openEnds };
  return { findings, records, chains: summaries.length, open, known: now };
}

function findingsOf({ hashes, last }: RegisterSummary, { place, hash }: KnownEntry): Finding[] {
  if (hashes.get(place) === hash) return [];
  const detail = hashes.has(place)
    ? "is another one than it was: the register was written anew"
    : `is gone, and was there: the register ends at ${last?.place ?? 0}, or was pruned`;
  return [{ chain: "register", place, detail }];
}

function goneWithItsChain({ chain, seq }: KnownRecord): Finding {
  return {
    chain,
    place: seq,
    detail: "was there, and the register knows no such chain any more, or it was pruned",
  };
}
