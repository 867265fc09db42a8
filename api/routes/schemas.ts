import { z } from "zod";
import { plainText, textLimits } from "../../shared/events/event-schema.ts";
import { auditActions } from "../../shared/ports/audit-store.ts";
import { rowStatuses } from "../../shared/ports/ledger.ts";
import { roles as knownRoles } from "../../shared/ports/user-store.ts";
import { maxTokenLength } from "../tokens/parse-token.ts";
import { addressPattern, emailRule, isAcceptableEmail, maxAddressLength } from "../users/email.ts";
import { maxPasswordBytes, minPasswordBytes } from "../users/password.ts";
import { uuidPattern } from "./patterns.ts";

/** What callers may send. Every object is closed: an unknown member is refused, so that a slip does not go unseen. */

const email = plainText(320)
  .refine(isAcceptableEmail, emailRule)
  .meta({ pattern: addressPattern, maxLength: maxAddressLength });
/** White space may be a password where it is long enough for one: there are no rules of composition. */
const password = plainText(maxPasswordBytes)
  .refine(
    (text) => Buffer.byteLength(text) <= maxPasswordBytes,
    `must have at most ${maxPasswordBytes} bytes`,
  )
  .refine(
    (text) => text.trim() !== "" || Buffer.byteLength(text) >= minPasswordBytes,
    "must not be white space alone",
  );
// Unicode UAX #9: what they reorder would be read as something else in a log.
const reason = plainText(textLimits.reason)
  .refine((text) => !/\p{Bidi_Control}/u.test(text), "must not hold bidirectional control characters")
  .meta({
    pattern: "^[^\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]*$",
  });
const roles = z
  .array(z.enum(knownRoles))
  .min(1)
  .max(8)
  .refine((given) => new Set(given).size === given.length, "must not name a role twice")
  .meta({ uniqueItems: true });
const externalId = z.strictObject({ iss: plainText(textLimits.issuer), sub: plainText(textLimits.subject) });

const digits = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, "must be a whole number")
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be from ${min} to ${max}`)
    .meta({ type: "integer", minimum: min, maximum: max });
const page = { limit: digits(1, 100).default(20), cursor: z.string().min(1).max(512).optional() };

export const credentialsSchema = z.strictObject({ email, password });
/** As long as an access token may be: one that was sent by mistake gets the answer for a bad refresh token. */
export const refreshSchema = z.strictObject({ refresh_token: z.string().min(1).max(maxTokenLength) });
export const emptySchema = z.strictObject({});
export const reasonSchema = z.strictObject({ reason: reason.optional() });
export const newUserSchema = z.strictObject({
  email,
  password: password.meta({
    minLength: minPasswordBytes,
    description: `${minPasswordBytes} to ${maxPasswordBytes} bytes in UTF-8.`,
  }),
  roles: roles.optional(),
  external_ids: z
    .array(externalId)
    .max(16)
    .refine(
      (given) => new Set(given.map(({ iss, sub }) => JSON.stringify([iss, sub]))).size === given.length,
      "must not name an identity twice",
    )
    .meta({ uniqueItems: true })
    .optional(),
});

export const noQuerySchema = z.strictObject({});
export const userQuerySchema = z.strictObject({
  ...page,
  status: z.enum(["active", "deactivated"]).optional(),
  email: email.optional(),
});
export const sessionQuerySchema = z.strictObject(page);
export const revocationQuerySchema = z.strictObject({
  ...page,
  subject: plainText(textLimits.subject).optional(),
  jti: plainText(textLimits.jti).optional(),
  status: z.enum(rowStatuses).optional(),
});
const time = z
  .string()
  .max(64)
  .refine((text) => z.iso.datetime({ offset: true }).safeParse(text).success, "must be an RFC 3339 time")
  .transform((text) => Date.parse(text))
  .refine((ms) => Number.isFinite(ms), "must be an RFC 3339 time")
  .meta({ format: "date-time" });
export const auditQuerySchema = z
  .strictObject({
    ...page,
    actor: plainText(textLimits.source).optional(),
    subject: plainText(textLimits.subject).optional(),
    action: z.enum(auditActions).optional(),
    event_id: z.string().regex(uuidPattern, "must be a UUID").optional(),
    from: time.optional(),
    to: time.optional(),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || from < to, {
    path: ["to"],
    message: "must be later than from",
  });
export const waitQuerySchema = z.strictObject({
  wait: z.enum(["enforced"]).optional(),
  timeout_ms: digits(0, 30_000).default(5_000),
});
