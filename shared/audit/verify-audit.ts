import type { AuditRecord, AuditStore, RegisterEntry } from "../ports/audit-store.ts";
import { type Finding, type RegisterSummary, summariseRegister } from "./register-summary.ts";
import { ChainCheck } from "./verify-chain.ts";

export interface KnownEntry {
  readonly place: number;
  readonly hash: string;
}

export interface Verification {
  readonly findings: readonly Finding[];
  readonly records: number;
  readonly chains: number;
  /** Chains that have no end: of processes that run, or that were killed. */
  readonly open: number;
  /** To be kept elsewhere, for the next time: what it stands for cannot be taken out unseen then. */
  readonly last: RegisterEntry | null;
}

const pageSize = 1_000;
const attempts = 3;

/**
 * Reads all of the audit, and says what was changed, inserted or taken out. What is written or pruned meanwhile is no
 * finding: where there are findings and the register has grown, it is read again. `known` is the register's last entry
 * of an earlier time, kept where the database's owner cannot reach it: without one, who can write to the database can
 * write the whole audit anew, or cut off what came after the last head that was noted.
 */
export async function verifyAudit(
  store: Pick<AuditStore, "listByChain" | "listRegister" | "lastOfRegister">,
  known: KnownEntry | null = null,
): Promise<Verification> {
  for (let attempt = 1; ; attempt += 1) {
    const verification = await verifyOnce(store, known);
    if (verification.findings.length === 0 || attempt === attempts) return verification;
    if ((await store.lastOfRegister())?.place === verification.last?.place) return verification;
  }
}

async function verifyOnce(
  store: Pick<AuditStore, "listByChain" | "listRegister">,
  known: KnownEntry | null,
): Promise<Verification> {
  const register = await summariseRegister(store, known === null ? [] : [known.place]);
  const findings = [...register.findings, ...findingsOf(register, known)];
  const left = new Set(register.chains.keys());
  let check: ChainCheck | undefined;
  let records = 0;
  let last: AuditRecord | undefined;
  for (;;) {
    const page = await store.listByChain({ limit: pageSize, ...(last !== undefined && { after: last }) });
    for (const record of page) {
      if (check?.chain !== record.chain) {
        findings.push(...(check?.end() ?? []));
        check = new ChainCheck(record.chain, register.chains.get(record.chain));
        left.delete(record.chain);
      }
      check.add(record);
    }
    records += page.length;
    last = page.at(-1);
    if (last === undefined || page.length < pageSize) break;
  }
  findings.push(...(check?.end() ?? []));
  for (const chain of left) findings.push(...new ChainCheck(chain, register.chains.get(chain)).end());
  const summaries = [...register.chains.values()];
  const open = summaries.filter(({ endedAt }) => endedAt === null).length;
  return { findings, records, chains: summaries.length, open, last: register.last };
}

function findingsOf({ hashes, last }: RegisterSummary, known: KnownEntry | null): Finding[] {
  if (known === null || hashes.get(known.place) === known.hash) return [];
  const { place } = known;
  const detail = hashes.has(place)
    ? "is another one than it was: the register was written anew"
    : `is gone, and was there: the register ends at ${last?.place ?? 0}, or was pruned`;
  return [{ chain: "register", place, detail }];
}
