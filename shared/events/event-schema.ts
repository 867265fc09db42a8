import { z } from "zod";
import type { EventType } from "./event.ts";
import { isKeyName } from "./key-name.ts";

/** In UTF-16 code units. */
export const textLimits = {
  id: 256,
  source: 1024,
  subject: 256,
  issuer: 1024,
  jti: 256,
  reason: 1024,
} as const;

const latestSeconds = 253_402_300_799; // the end of the year 9999

/** Control characters would forge log lines; a lone surrogate cannot be written as UTF-8. */
const forbiddenCharacters = /[\p{Cc}\p{Cs}]/u;

/** The same for JSON Schema, whose texts have no lone surrogates, and whose readers know no classes of characters. */
const describedPattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$";

/** JSON Schema and JavaScript: the sources under which the events of this system stand, of whatever namespace. */
export const reservedSourcePattern = "^/[Qq][Uu][Aa][Ss][Hh](/|$)";

/** A non-empty text without control characters and lone surrogates. */
export function plainText(maxLength: number) {
  return z
    .string()
    .min(1)
    .max(maxLength)
    .refine((text) => !forbiddenCharacters.test(text), "must not hold control characters or lone surrogates")
    .meta({ pattern: describedPattern });
}

const epoch = z.int().nonnegative();
const jti = plainText(textLimits.jti);
const sid = plainText(textLimits.id);
const external = z.object({ iss: plainText(textLimits.issuer), sub: plainText(textLimits.subject) });
const upstream = z.object({
  reason: plainText(textLimits.reason).exactOptional(),
  actor: plainText(textLimits.subject).exactOptional(),
  jti: jti.exactOptional(),
  // A fraction is rounded up, so that a revocation never ends before its token.
  exp: z
    .number()
    .nonnegative()
    .max(latestSeconds, "must be in seconds, not in milliseconds")
    .transform(Math.ceil)
    .exactOptional(),
  external: external.exactOptional(),
});
const own = upstream.extend({ epoch: epoch.exactOptional(), sid: sid.exactOptional() });
const ownCutOff = own.extend({ epoch });

/**
 * The details of each type, with the members that it cannot do without. Members that are not named here are dropped,
 * which is what makes `epoch` and `sid` count in our own events only.
 */
export const detailsSchemas = {
  own: {
    "user.deactivated": ownCutOff,
    "user.reactivated": ownCutOff,
    "user.deleted": ownCutOff,
    "user.signed-out": own.refine(
      (details) => details.epoch !== undefined || details.sid !== undefined,
      "needs epoch, or sid for the sign-out of one session",
    ),
    "credentials.changed": ownCutOff,
    "token.revoked": own.extend({ jti }),
  },
  upstream: {
    "user.deactivated": upstream,
    "user.reactivated": upstream,
    "user.deleted": upstream,
    "user.signed-out": upstream,
    "credentials.changed": upstream,
    // One event would end the tokens of everybody: only the instances that read the key file say that.
    "token.revoked": upstream.extend({
      jti: jti.refine(
        (name) => !isKeyName(name),
        "must be a token's: signing keys are revoked in the key file",
      ),
    }),
  },
} as const satisfies Record<"own" | "upstream", Record<EventType, z.ZodType>>;

/** Says what is wrong, where, and never what was sent: it may be a secret. */
export function describeFault(error: z.ZodError, prefix: string): string {
  return error.issues
    .slice(0, 3)
    .map((issue) => `${[prefix, ...issue.path.map(String)].filter(Boolean).join(".")}: ${issue.message}`)
    .join("; ");
}
