import type { AuditRecord, AuditStore, RegisterEntry, RegisterNoteKind } from "../ports/audit-store.ts";
import { appendToRegister } from "./append-to-register.ts";

export interface PruneAuditOptions {
  /** What is older goes. */
  readonly beforeMs: number;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

const pageSize = 1_000;

/**
 * Takes the oldest records of each chain, and then of the register, and leaves what remains verifiable: where a chain
 * begins now, and with which hash, is in the register before its first record goes. An entry of the register outlives
 * the records that it vouches for. How many records went. Two at once do no harm.
 */
export async function pruneAudit(store: AuditStore, options: PruneAuditOptions): Promise<number> {
  const { beforeMs, nowMs, signal } = options;
  let removed = 0;
  let chain: string | undefined;
  while (!signal.aborted) {
    const first = await firstOfNextChain(chain);
    if (first === undefined) break;
    chain = first.chain;
    const last = await lastBefore(first);
    if (last === null) continue;
    const place = { chain, seq: last.seq + 1 };
    await note("pruned", place, last.hash);
    removed += await inSteps((limit) => store.removeBelow(place, limit));
  }
  const last = signal.aborted ? null : await lastEntryBefore();
  if (last !== null) {
    await note("register-pruned", { chain: "", seq: last.place + 1 }, last.hash);
    await inSteps((limit) => store.removeFromRegister(last.place + 1, limit));
  }
  return removed;

  async function firstOfNextChain(after: string | undefined): Promise<AuditRecord | undefined> {
    const beyond = after && { after: { chain: after, seq: Number.MAX_SAFE_INTEGER } };
    return (await store.listByChain({ limit: 1, ...beyond }))[0];
  }

  /** The last of those at the chain's beginning that are all too old. */
  async function lastBefore(first: AuditRecord): Promise<AuditRecord | null> {
    let last: AuditRecord | null = null;
    for (let page = [first]; page.length > 0; ) {
      const kept = page.findIndex((record) => record.chain !== first.chain || record.atMs >= beforeMs);
      last = (kept === -1 ? page.at(-1) : page[kept - 1]) ?? last;
      if (kept !== -1 || last === null) break;
      page = await store.listByChain({ after: last, limit: pageSize });
    }
    return last;
  }

  async function lastEntryBefore(): Promise<RegisterEntry | null> {
    let last: RegisterEntry | null = null;
    for (;;) {
      const after: number | undefined = last?.place;
      const page = await store.listRegister({ limit: pageSize, ...(after !== undefined && { after }) });
      const kept = page.findIndex(({ atMs }) => atMs >= beforeMs);
      last = (kept === -1 ? page.at(-1) : page[kept - 1]) ?? last;
      if (kept !== -1 || page.length < pageSize) return last;
    }
  }

  async function note(
    kind: RegisterNoteKind,
    { chain, seq }: { chain: string; seq: number },
    recordHash: string,
  ): Promise<void> {
    await appendToRegister(store, { kind, chain, seq, recordHash, atMs: nowMs });
  }

  async function inSteps(step: (limit: number) => Promise<number>): Promise<number> {
    let count = 0;
    while (!signal.aborted) {
      const went = await step(pageSize);
      count += went;
      if (went < pageSize) break;
    }
    return count;
  }
}
