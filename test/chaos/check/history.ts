import type { EntryOf, LogEntry } from "../log-entry.ts";
import { groupBy } from "./group-by.ts";

export type Mint = EntryOf<"mint">;
export type Probe = EntryOf<"probe">;
export type Revoke = EntryOf<"revoke">;

export interface Applied {
  readonly appliedAt: number;
  /** Infinity: not that we know. */
  readonly enforcedAt: number;
}

/** The span in which a fault was there; times of the four phases. */
export interface FaultSpan {
  readonly id: number;
  readonly does: string;
  readonly target: string;
  readonly kind: string;
  readonly begin: number;
  readonly active: number;
  readonly heal: number;
  readonly healed: number;
}

/** The log, arranged for the questions that the checks ask. */
export interface History {
  readonly run: EntryOf<"run">;
  /** Those of the run, and who joined. */
  readonly instances: readonly string[];
  /** How long after `applied_at` a token may still be accepted. */
  readonly boundMs: number;
  /** Infinity: the run broke off before everything was asked once more. */
  readonly finalAt: number;
  readonly probes: readonly Probe[];
  readonly revokes: readonly Revoke[];
  readonly poisons: readonly EntryOf<"poison">[];
  readonly deadLetters: readonly EntryOf<"dead-letter">[];
  readonly faults: readonly FaultSpan[];
  readonly ends: readonly EntryOf<"process">[];
  mintOf(probe: Probe): Mint | undefined;
  revokesOf(user: string): readonly Revoke[];
  reactivationsOf(user: string): readonly EntryOf<"reactivate">[];
  statusesOf(user: string): readonly EntryOf<"user-status">[];
  /** What is known of the receipt; undefined while it was never seen applied. */
  appliedOf(revoke: Revoke): Applied | undefined;
}

export function createHistory(entries: readonly LogEntry[]): History {
  const of = <Op extends LogEntry["op"]>(op: Op): EntryOf<Op>[] =>
    entries.filter((entry): entry is EntryOf<Op> => entry.op === op);
  const [run] = of("run");
  if (run === undefined) throw new Error("the log has no beginning");
  const mints = new Map(of("mint").map((mint) => [mint.token, mint]));
  const revokes = of("revoke");
  const byUser = groupBy(revokes, ({ user }) => user);
  const reactivations = groupBy(of("reactivate"), ({ user }) => user);
  const statuses = groupBy(of("user-status"), ({ user }) => user);
  const receipts = groupBy(of("receipt"), ({ user }) => user ?? "");
  return {
    run,
    instances: [...run.instances, ...of("joined").map(({ instance }) => instance)],
    boundMs: run.max_staleness_ms + Math.max(1_000, run.max_staleness_ms / 5) + run.replica_lag_ms,
    finalAt: of("final")[0]?.at ?? Infinity,
    probes: of("probe"),
    revokes,
    poisons: of("poison"),
    deadLetters: of("dead-letter"),
    faults: spansOf(of("fault")),
    ends: of("process"),
    mintOf: ({ token }) => mints.get(token),
    revokesOf: (user) => byUser.get(user) ?? [],
    reactivationsOf: (user) => reactivations.get(user) ?? [],
    statusesOf: (user) => statuses.get(user) ?? [],
    appliedOf: (revoke) => appliedOf(revoke, receipts.get(revoke.user) ?? []),
  };
}

function appliedOf(revoke: Revoke, receipts: readonly EntryOf<"receipt">[]): Applied | undefined {
  const own = receipts.filter((receipt) => isReceiptOf(receipt, revoke) && receipt.applied_at !== null);
  if (own.length === 0) return undefined;
  return {
    appliedAt: Math.min(...own.map((receipt) => receipt.applied_at ?? Infinity)),
    enforcedAt: Math.min(...own.map((receipt) => receipt.enforced_at ?? Infinity)),
  };
}

/** A logout does not say its event; nobody logs out twice here. */
function isReceiptOf(receipt: EntryOf<"receipt">, revoke: Revoke): boolean {
  if (revoke.event !== undefined) return receipt.event === revoke.event;
  if (revoke.source_event !== undefined) return receipt.source_event === revoke.source_event;
  return revoke.way === "logout" && receipt.type === "user.signed-out";
}

function spansOf(entries: readonly EntryOf<"fault">[]): FaultSpan[] {
  return [...groupBy(entries, ({ id }) => id).values()].flatMap((phases) => {
    const [first] = phases;
    if (first === undefined) return [];
    const at = (phase: EntryOf<"fault">["phase"]) =>
      phases.find((entry) => entry.phase === phase)?.at ?? Infinity;
    const { id, does, target, kind } = first;
    return {
      id,
      does,
      target,
      kind,
      begin: at("begin"),
      active: at("active"),
      heal: at("heal"),
      healed: at("healed"),
    };
  });
}
