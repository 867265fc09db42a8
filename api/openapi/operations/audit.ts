import { z } from "zod";
import { errorTable } from "../../../shared/errors.ts";
import { eventTypes } from "../../../shared/events/event.ts";
import { auditActions } from "../../../shared/ports/audit-store.ts";
import { auditQuerySchema, noQuerySchema } from "../../routes/schemas.ts";
import { ids } from "../example-ids.ts";
import { dependencyProblems } from "../implied-problems.ts";
import { json, named, type Operation } from "../operation.ts";
import { pageOf, position, receipt, time, uuid } from "../response-schemas.ts";

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const zeros = "0".repeat(64);

const record = named(
  "AuditRecord",
  z.strictObject({
    at: time,
    action: z.enum(auditActions),
    actor: z.string().nullable().meta({ description: "Who did it; null for nobody who is known." }),
    subject: z.string().nullable().meta({ description: "The user whom it is about." }),
    object: z.string().nullable().meta({ description: "What else it is about, as the action says." }),
    reason: z.string().nullable(),
    request_id: z.string().nullable(),
    event_id: z.string().nullable(),
    event_type: z.enum(eventTypes).nullable(),
    count: z.int().nonnegative().meta({ description: "How often since the record before of its kind." }),
    process: z.enum(["api", "worker", "command"]),
    instance: z.string(),
    chain: z.string(),
    seq: z.int().positive(),
    previous: hash.meta({ description: "The hash of the record before; zeros in the first." }),
    hash,
  }),
  {
    at: "2026-03-01T12:03:00.000Z",
    action: "user.deactivated",
    actor: ids.instances[1],
    subject: ids.user,
    object: null,
    reason: "left the company",
    request_id: ids.request,
    event_id: ids.event,
    event_type: "user.deactivated",
    count: 1,
    process: "api",
    instance: ids.instances[0],
    chain: ids.jti,
    seq: 1,
    previous: zeros,
    hash: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  },
);

const tokenExplanation = named(
  "TokenExplanation",
  z.strictObject({
    jti: uuid,
    verdict: z.enum(["accepted", "refused"]),
    code: z.enum(Object.keys(errorTable)).nullable().meta({ description: "The problem's slug." }),
    rule: z.enum(["none", "freshness", "signing-key", "time", "token-revocation", "cut-off"]),
    detail: z.string(),
    by: z.strictObject({ actor: z.string().nullable(), source: z.string() }).nullable(),
    since: time.nullable(),
    event: receipt.schema.nullable(),
    token: z
      .strictObject({
        sid: z.string(),
        epoch: z.int(),
        kid: z
          .string()
          .nullable()
          .meta({ description: "Of the key that signed it; null where that was not recorded." }),
        issued_at: time,
        expires_at: time,
        session_ended_at: time.nullable(),
      })
      .nullable(),
    user: z
      .strictObject({ id: uuid, status: z.string(), epoch: z.int(), status_changed_at: time })
      .nullable(),
    instance: z.strictObject({
      id: z.string(),
      state: z.enum(["cold", "fresh", "stale"]),
      position: position.nullable(),
    }),
  }),
  {
    jti: ids.jti,
    verdict: "refused",
    code: "user-deactivated",
    rule: "cut-off",
    detail: "This instance's blacklist cuts off the token's epoch for its subject.",
    by: { actor: ids.instances[1], source: "/quash/quash" },
    since: "2026-03-01T12:03:00.012Z",
    event: receipt.example,
    token: {
      sid: ids.sid,
      epoch: 0,
      kid: "2026-02",
      issued_at: "2026-03-01T12:00:00.000Z",
      expires_at: "2026-03-01T12:15:00.000Z",
      session_ended_at: null,
    },
    user: null,
    instance: { id: ids.instances[0], state: "fresh", position: "01772366580012-00000" },
  },
);

export const auditOperations: readonly Operation[] = [
  {
    method: "get",
    path: "/audit",
    id: "listAuditRecords",
    tag: "Service",
    summary: "Lists what was decided, by whom, why; the newest first",
    caller: "admin",
    query: auditQuerySchema,
    answers: { 200: json("A page of records.", pageOf(record), { headers: ["Cache-Control"] }) },
    problems: dependencyProblems,
  },
  {
    method: "get",
    path: "/tokens/:jti/explain",
    id: "explainToken",
    tag: "Revocations",
    summary: "Says why this instance accepts or refuses a token now",
    caller: "admin",
    query: noQuerySchema,
    answers: {
      200: json("The verdict, and what it rests on.", tokenExplanation, { headers: ["Cache-Control"] }),
    },
    problems: dependencyProblems,
  },
];
