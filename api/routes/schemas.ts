import { z } from "zod";
import { plainText, textLimits } from "../../shared/events/event-schema.ts";
import { roles as knownRoles } from "../../shared/ports/user-store.ts";
import { maxPasswordBytes } from "../users/password.ts";

/** What callers may send. Every object is closed: an unknown member is refused, so that a slip does not go unseen. */

const email = plainText(320);
const password = plainText(maxPasswordBytes).refine(
  (text) => Buffer.byteLength(text) <= maxPasswordBytes,
  `must have at most ${maxPasswordBytes} bytes`,
);
const reason = plainText(textLimits.reason);
const roles = z
  .array(z.enum(knownRoles))
  .min(1)
  .max(8)
  .refine((given) => new Set(given).size === given.length, "must not name a role twice");
const externalId = z.strictObject({ iss: plainText(textLimits.issuer), sub: plainText(textLimits.subject) });

const digits = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, "must be a whole number")
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be from ${min} to ${max}`);
const page = { limit: digits(1, 100).default(20), cursor: z.string().min(1).max(512).optional() };

export const credentialsSchema = z.strictObject({ email, password });
export const refreshSchema = z.strictObject({ refresh_token: z.string().min(1).max(512) });
export const emptySchema = z.strictObject({});
export const reasonSchema = z.strictObject({ reason: reason.optional() });
export const newUserSchema = z.strictObject({
  email,
  password,
  roles: roles.optional(),
  external_ids: z
    .array(externalId)
    .max(16)
    .refine(
      (given) => new Set(given.map(({ iss, sub }) => JSON.stringify([iss, sub]))).size === given.length,
      "must not name an identity twice",
    )
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
});
export const waitQuerySchema = z.strictObject({
  wait: z.enum(["enforced"]).optional(),
  timeout_ms: digits(0, 30_000).default(5_000),
});
