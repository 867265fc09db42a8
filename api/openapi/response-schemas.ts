import { z } from "zod";
import { errorTable } from "../../shared/errors.ts";
import { eventTypes } from "../../shared/events/event.ts";
import type { Receipt } from "../../shared/receipts/receipt.ts";
import { uuidPattern } from "../routes/patterns.ts";
import { ids } from "./example-ids.ts";
import { type Named, named } from "./operation.ts";

/** What callers are answered with. Closed, as are the requests: a member that is not described here is a slip. */

export const uuid = z.string().regex(uuidPattern).meta({ format: "uuid" });
export const time = z.string().meta({ format: "date-time" });
const count = z.int().nonnegative();
export const position = z
  .string()
  .meta({ description: "A place in the feed of revocations; text order is order." });
const nextCursor = z
  .string()
  .nullable()
  .meta({ description: "Send it as cursor to get what follows; null at the end." });

/** One page of a list. */
export function pageOf({ name, schema, example }: Named): Named {
  const page = z.strictObject({ items: z.array(schema), next_cursor: nextCursor });
  return { name: `${name}Page`, schema: page, example: { items: [example], next_cursor: null } };
}

export const tokenGrant = named(
  "TokenGrant",
  z.strictObject({
    access_token: z.string(),
    token_type: z.literal("Bearer"),
    expires_in: count.meta({ description: "Seconds." }),
    refresh_token: z.string(),
    refresh_expires_in: count.meta({ description: "Seconds." }),
  }),
  {
    access_token: "eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6IjEifQ.eyJzdWIiOiIuLi4ifQ.c2lnbmF0dXJl",
    token_type: "Bearer",
    expires_in: 900,
    refresh_token: "7Nf0J2o6cQm3c1Jx0ZkR9uY2b4W8tVhA5sEoLpQrTzU",
    refresh_expires_in: 2_592_000,
  },
);

const role = z.string().meta({ description: "Such as user or admin." });

export const me = named(
  "Me",
  z.strictObject({
    id: z.string(),
    email: z.string().nullable().meta({ description: "null while the database is away." }),
    roles: z.array(role),
    token: z.strictObject({ jti: uuid, issued_at: time, expires_at: time, epoch: count }),
    instance: z.string().meta({ description: "The id of the instance that answered." }),
  }),
  {
    id: ids.user,
    email: "alice@example.com",
    roles: ["user"],
    token: {
      jti: ids.jti,
      issued_at: "2026-03-01T12:00:00.000Z",
      expires_at: "2026-03-01T12:15:00.000Z",
      epoch: 0,
    },
    instance: ids.instances[0],
  },
);

export const user = named(
  "User",
  z.strictObject({
    id: uuid,
    email: z.string(),
    roles: z.array(role),
    status: z.enum(["active", "deactivated"]),
    epoch: count.meta({ description: "Raised whenever all tokens so far are ended." }),
    external_ids: z.array(z.strictObject({ iss: z.string(), sub: z.string() })),
    created_at: time,
    status_changed_at: time,
  }),
  {
    id: ids.user,
    email: "alice@example.com",
    roles: ["user"],
    status: "active",
    epoch: 0,
    external_ids: [{ iss: "https://idp.example.com", sub: "248289761001" }],
    created_at: "2026-03-01T11:58:00.000Z",
    status_changed_at: "2026-03-01T11:58:00.000Z",
  },
);

const receiptSchema = z.strictObject({
  event_id: uuid,
  type: z.enum(eventTypes),
  subject: z.string().nullable().meta({ description: "Whose tokens they are." }),
  jti: z.string().exactOptional().meta({ description: "Of the one token that is revoked." }),
  reason: z.string().nullable(),
  source: z.string(),
  source_event_id: z.string().exactOptional().meta({ description: "The id that an upstream system gave." }),
  status: z.enum(["pending", "held", "applied", "enforced", "failed"]).meta({
    description:
      "pending: accepted, nothing is lost. held: waits to be confirmed. applied: in the store and the ledger. " +
      "enforced: by every instance, for good. failed: could not be applied.",
  }),
  requested_at: time,
  applied_at: time.nullable(),
  enforced_at: time.nullable(),
  position: position.nullable(),
  instances: z.array(
    z.strictObject({
      id: z.string(),
      state: z.enum(["enforced", "pending", "fenced", "gone"]),
      at: time.nullable(),
    }),
  ),
  tokens_revoked: count,
}) satisfies z.ZodType<Receipt>;

export const receipt = named("Receipt", receiptSchema, {
  event_id: ids.event,
  type: "user.deactivated",
  subject: ids.user,
  reason: "left the company",
  source: "/quash/quash",
  status: "enforced",
  requested_at: "2026-03-01T12:03:00.000Z",
  applied_at: "2026-03-01T12:03:00.012Z",
  enforced_at: "2026-03-01T12:03:00.040Z",
  position: "01772366580012-00000",
  instances: ids.instances.map((id) => ({ id, state: "enforced" as const, at: "2026-03-01T12:03:00.031Z" })),
  tokens_revoked: 2,
});

/** Accepted, and not handled yet. */
export const pendingReceipt = {
  ...(receipt.example as z.infer<typeof receiptSchema>),
  status: "pending",
  applied_at: null,
  enforced_at: null,
  position: null,
  instances: [],
  tokens_revoked: 0,
} as const;

export const instanceList = named(
  "InstanceList",
  z.strictObject({
    items: z.array(
      z.strictObject({
        id: z.string(),
        position: position.nullable(),
        state: z.enum(["fresh", "stale", "fenced"]),
        last_sync_at: time,
        entries: count.meta({ description: "How many revocations it holds." }),
      }),
    ),
  }),
  {
    items: [
      {
        id: ids.instances[0],
        position: "01772366580012-00000",
        state: "fresh",
        last_sync_at: "2026-03-01T12:04:00.000Z",
        entries: 12,
      },
    ],
  },
);

const check = z.strictObject({
  status: z.enum(["ok", "unavailable"]),
  detail: z.string().nullable().meta({ description: "What is missing." }),
  since: time.nullable(),
});

export const health = named(
  "Health",
  z.strictObject({ status: z.enum(["ok", "unavailable"]), checks: z.record(z.string(), check) }),
  { status: "ok", checks: { replica: { status: "ok", detail: null, since: null } } },
);

/** RFC 7517 §5: members that nobody knows are to be ignored, so more may come. */
export const publicKeySet = named(
  "PublicKeySet",
  z.strictObject({
    keys: z.array(
      z.looseObject({ kty: z.string(), kid: z.string(), alg: z.string(), use: z.literal("sig") }),
    ),
  }),
  {
    keys: [
      {
        kty: "EC",
        crv: "P-256",
        kid: "2026-03",
        alg: "ES256",
        use: "sig",
        x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
      },
    ],
  },
);

export const explanation = named(
  "Explanation",
  z.strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    retriable: z.boolean().meta({ description: "Whether the same call may succeed later, unchanged." }),
  }),
  {
    type: "/problems/token-revoked",
    title: errorTable["token-revoked"].title,
    status: 401,
    detail: "This one token, or its session, was ended before its time. Sign in again.",
    retriable: false,
  },
);

export const openApiDocument = named(
  "OpenApiDocument",
  z.looseObject({ openapi: z.literal("3.1.1"), info: z.looseObject({}), paths: z.looseObject({}) }),
  { openapi: "3.1.1", info: { title: "Quash", version: "0.1.0" }, paths: {} },
);
