import type { EntryOf, LogEntry } from "../../chaos/log-entry.ts";

const instances = ["api-1", "api-2"] as const;
type Span = Pick<EntryOf<"mint">, "sent" | "done">;

const at = (sent: number): Span => ({ sent, done: sent + 10 });

/** A log in seconds of its own: user `u` signs in as token `t`; everything else is up to the test. */
export const entry = {
  run: (): LogEntry => ({
    op: "run",
    at: 0,
    seed: 1,
    seconds: 60,
    max_staleness_ms: 5_000,
    replica_lag_ms: 0,
    instances: [...instances],
  }),
  mint: (ms: number, token = "t"): LogEntry => ({
    op: "mint",
    ...at(ms),
    token,
    user: "u",
    instance: "api-1",
  }),
  /** The token `x` of a user whom nothing else concerns. */
  innocent: (): LogEntry => ({ op: "mint", ...at(1_000), token: "x", user: "v", instance: "api-1" }),
  revoke: (ms: number, changes: Partial<EntryOf<"revoke">> = {}): LogEntry => ({
    op: "revoke",
    ...at(ms),
    way: "deactivate",
    user: "u",
    outcome: "accepted",
    event: "e",
    ...changes,
  }),
  receipt: (applied_at: number | null, changes: Partial<EntryOf<"receipt">> = {}): LogEntry => ({
    op: "receipt",
    ...at(50_000),
    event: "e",
    user: "u",
    type: "user.deactivated",
    status: "applied",
    applied_at,
    enforced_at: null,
    ...changes,
  }),
  reactivate: (ms: number): LogEntry => ({ op: "reactivate", ...at(ms), user: "u", outcome: "accepted" }),
  status: (ms: number, status: string): LogEntry => ({ op: "user-status", ...at(ms), user: "u", status }),
  poison: (marker: string): LogEntry => ({ op: "poison", ...at(1_000), marker, outcome: "accepted" }),
  deadLetter: (text: string): LogEntry => ({ op: "dead-letter", at: 2_000, reason: "not-json", text }),
  fault: (does: string, target: string, [from, to]: readonly [number, number]): LogEntry[] =>
    [
      { phase: "begin" as const, at: from - 10 },
      { phase: "active" as const, at: from },
      { phase: "heal" as const, at: to },
      { phase: "healed" as const, at: to + 10 },
    ].map((phase) => ({ op: "fault", id: from, does, target, kind: `${does} ${target}`, ...phase })),
  end: (role: string, ms: number): LogEntry => ({ op: "process", at: ms, role, event: "ended with 1" }),
  joined: (instance: string, ms: number): LogEntry => ({ op: "joined", at: ms, instance }),
  final: (ms: number): LogEntry => ({ op: "final", at: ms }),
  /** The same answer of both instances. */
  probes: (ms: number, status: number, token = "t"): LogEntry[] =>
    instances.map((instance) => ({ op: "probe", ...at(ms), instance, token, status })),
  probe: (ms: number, status: number, changes: Partial<EntryOf<"probe">> = {}): LogEntry => ({
    op: "probe",
    ...at(ms),
    instance: "api-1",
    token: "t",
    status,
    ...changes,
  }),
};
