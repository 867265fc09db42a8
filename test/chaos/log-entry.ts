import { z } from "zod";

/** Wall-clock milliseconds of the machine that runs everything; `sent` is read before, `done` after. */
const span = { sent: z.number(), done: z.number() };
/** `unknown`: no answer came, so it may take effect at any later time. */
const outcome = z.enum(["accepted", "refused", "unknown"]);

/** The log of a run, one object a line: all that the checker knows. */
export const logEntrySchema = z.discriminatedUnion("op", [
  z.object({
    op: z.literal("run"),
    at: z.number(),
    seed: z.number(),
    seconds: z.number(),
    max_staleness_ms: z.number(),
    /** How long a primary of Redis that was cut off goes on taking writes; 0 where nobody replicates. */
    replica_lag_ms: z.number(),
    instances: z.array(z.string()),
  }),
  /** `begin`: about to be done; `active`: done; `heal`: about to be ended; `healed`: ended. */
  z.object({
    op: z.literal("fault"),
    at: z.number(),
    phase: z.enum(["begin", "active", "heal", "healed"]),
    id: z.number(),
    does: z.string(),
    target: z.string(),
    kind: z.string(),
  }),
  /** A process that ended without being told to, and one that was started. */
  z.object({ op: z.literal("process"), at: z.number(), role: z.string(), event: z.string() }),
  z.object({ op: z.literal("quiet"), at: z.number() }),
  /** One more instance is there. */
  z.object({ op: z.literal("joined"), at: z.number(), instance: z.string() }),
  /** Everything is asked once more from here on: what holds now must hold everywhere. */
  z.object({ op: z.literal("final"), at: z.number() }),
  /** A token that was given out. */
  z.object({ op: z.literal("mint"), ...span, token: z.string(), user: z.string(), instance: z.string() }),
  /** Something that revokes all tokens that the user has (`user`), or the named ones. */
  z.object({
    op: z.literal("revoke"),
    ...span,
    way: z.enum(["deactivate", "delete", "sign-out", "logout", "token", "upstream"]),
    user: z.string(),
    tokens: z.array(z.string()).optional(),
    outcome,
    event: z.string().optional(),
    source_event: z.string().optional(),
  }),
  z.object({ op: z.literal("reactivate"), ...span, user: z.string(), outcome }),
  z.object({ op: z.literal("user-status"), ...span, user: z.string(), status: z.string() }),
  z.object({
    op: z.literal("receipt"),
    ...span,
    event: z.string(),
    source_event: z.string().optional(),
    user: z.string().nullable(),
    type: z.string(),
    status: z.string(),
    applied_at: z.number().nullable(),
    enforced_at: z.number().nullable(),
  }),
  /** An event that nobody can read. */
  z.object({ op: z.literal("poison"), ...span, marker: z.string(), outcome }),
  z.object({ op: z.literal("dead-letter"), at: z.number(), reason: z.string(), text: z.string() }),
  /** `status` 0: no answer. */
  z.object({
    op: z.literal("probe"),
    ...span,
    instance: z.string(),
    token: z.string(),
    status: z.number(),
    code: z.string().optional(),
  }),
]);

export type LogEntry = z.infer<typeof logEntrySchema>;
export type EntryOf<Op extends LogEntry["op"]> = Extract<LogEntry, { op: Op }>;
export type Outcome = z.infer<typeof outcome>;
