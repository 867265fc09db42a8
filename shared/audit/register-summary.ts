import type { AuditStore, RegisterEntry } from "../ports/audit-store.ts";
import { hashOfEntry, noHash } from "./audit-chain.ts";

export interface Finding {
  /** Where: a chain, or `register`. */
  readonly chain: string;
  /** The first place that is not as it was written. */
  readonly place: number;
  readonly detail: string;
}

/** What the register says about one chain. */
export interface ChainSummary {
  /** What stood at a place when it was noted. */
  readonly heads: Map<number, string>;
  /** The records below it may be gone. */
  prunedBelow: number;
  /** Of the last record below. */
  prunedHash: string;
  endedAt: number | null;
  /** False also where the entry of its beginning was pruned. */
  isStarted: boolean;
  /** When its places were noted first: those that no note of pruning has covered yet. */
  unpruned: { readonly seq: number; readonly atMs: number }[];
}

export interface SummaryOptions {
  /** How long the records are kept. */
  readonly retentionMs: number;
  readonly nowMs: number;
  /** Places whose hashes are wanted. */
  readonly asked?: readonly number[];
}

export interface RegisterSummary {
  readonly chains: ReadonlyMap<string, ChainSummary>;
  readonly findings: readonly Finding[];
  readonly last: RegisterEntry | null;
  /** The hash at each place that was asked for. */
  readonly hashes: ReadonlyMap<number, string>;
  readonly entries: number;
}

const pageSize = 1_000;
/** A place is noted minutes after its record was made, later only where the database was away meanwhile. */
const latestNoteMs = 86_400_000;

/**
 * Reads the register from its first entry to its last, and checks that it is one chain, and that it notes the pruning of
 * nothing that was too young for it.
 */
export async function summariseRegister(
  store: Pick<AuditStore, "listRegister">,
  { retentionMs, nowMs, asked = [] }: SummaryOptions,
): Promise<RegisterSummary> {
  const youngestMs = retentionMs - Math.min(latestNoteMs, retentionMs / 2);
  const chains = new Map<string, ChainSummary>();
  const findings: Finding[] = [];
  const hashes = new Map<number, string>();
  const register = summaryIn(chains, "register");
  let first: RegisterEntry | null = null;
  let last: RegisterEntry | null = null;
  let entries = 0;

  function check(entry: RegisterEntry): void {
    const found = faultOf(entry, last);
    if (found !== null) findings.push({ chain: "register", ...found });
    if (asked.includes(entry.place)) hashes.set(entry.place, entry.hash);
    const summary = entry.kind === "register-pruned" ? register : summaryIn(chains, entry.chain);
    findings.push(...prunedTooEarly(entry, summary));
    note(entry, summary);
    first ??= entry;
    last = entry;
    entries += 1;
  }

  function prunedTooEarly(entry: RegisterEntry, { unpruned }: ChainSummary): Finding[] {
    if (entry.kind !== "pruned") return [];
    const kept = unpruned.findIndex(({ seq }) => seq >= entry.seq);
    const covered = unpruned.splice(0, kept === -1 ? unpruned.length : kept);
    // A note that is dated ahead would make anything old enough.
    const prunedAtMs = Math.min(entry.atMs, nowMs);
    const young = covered.find(({ atMs }) => prunedAtMs - atMs < youngestMs);
    if (young === undefined) return [];
    const detail = `was not old enough to be pruned, as entry ${entry.place} of the register says`;
    return [{ chain: entry.chain, place: young.seq, detail }];
  }

  for (;;) {
    const after: number | undefined = (last as RegisterEntry | null)?.place;
    const page = await store.listRegister({ limit: pageSize, ...(after !== undefined && { after }) });
    for (const entry of page) check(entry);
    if (page.length < pageSize) break;
  }
  const begin = beginningFault(first, register);
  if (begin !== null) findings.unshift({ chain: "register", ...begin });
  chains.delete("register");
  return { chains, findings, last, hashes, entries };
}

type Fault = Omit<Finding, "chain">;

function faultOf(entry: RegisterEntry, last: RegisterEntry | null): Fault | null {
  const { place } = entry;
  if (hashOfEntry(entry) !== entry.hash) return { place, detail: "was changed" };
  if (last === null) return null;
  const lacking = place - last.place - 1;
  if (lacking > 0) return { place: last.place + 1, detail: `${lacking} taken out` };
  return entry.previous === last.hash ? null : { place, detail: "does not follow from the one before it" };
}

/** What lies before the first entry may be gone only as far as a later entry says so. */
function beginningFault(
  first: RegisterEntry | null,
  { prunedBelow, prunedHash }: ChainSummary,
): Fault | null {
  if (first === null) return null;
  const { place, previous } = first;
  if (place > Math.max(1, prunedBelow))
    return { place: Math.max(1, prunedBelow), detail: "the first ones are taken out" };
  const isAsNoted = place === prunedBelow ? previous === prunedHash : place > 1 || previous === noHash;
  return isAsNoted ? null : { place, detail: "does not follow from what was pruned" };
}

function summaryIn(chains: Map<string, ChainSummary>, chain: string): ChainSummary {
  const known = chains.get(chain);
  if (known !== undefined) return known;
  const summary: ChainSummary = {
    heads: new Map(),
    prunedBelow: 0,
    prunedHash: noHash,
    endedAt: null,
    isStarted: false,
    unpruned: [],
  };
  chains.set(chain, summary);
  return summary;
}

function note(entry: RegisterEntry, summary: ChainSummary): void {
  const { kind, seq, recordHash, atMs } = entry;
  if (kind === "started") summary.isStarted = true;
  if (kind === "head" || kind === "ended") {
    if (isFirstOfItsPlace(entry, summary)) summary.unpruned.push({ seq, atMs });
    summary.heads.set(seq, recordHash);
  }
  if (kind === "ended") summary.endedAt = seq;
  const isPruned = kind === "pruned" || kind === "register-pruned";
  if (!isPruned || seq <= summary.prunedBelow) return;
  summary.prunedBelow = seq;
  summary.prunedHash = recordHash;
}

/** A process may end long after its last record: its end dates that one only if no entry before it could have. */
function isFirstOfItsPlace({ kind, seq }: RegisterEntry, { heads, isStarted }: ChainSummary): boolean {
  return kind === "head" || (!heads.has(seq) && (isStarted || heads.size > 0));
}
