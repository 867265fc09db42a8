import { z } from "zod";

/** The claims of an access token: those of RFC 9068 §2.2, the session (`sid`) and the user's epoch. */
export interface AccessTokenClaims {
  readonly iss: string;
  readonly aud: string;
  readonly sub: string;
  readonly client_id: string;
  /** NumericDate, seconds, as is `exp`. */
  readonly iat: number;
  readonly exp: number;
  readonly nbf?: number | undefined;
  readonly jti: string;
  readonly sid: string;
  readonly epoch: number;
  readonly roles: readonly string[];
}

const controlOrLoneSurrogate = /[\p{Cc}\p{Cs}]/u;
const uuid = z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
const text = (maxLength: number) =>
  z
    .string()
    .min(1)
    .max(maxLength)
    .refine((value) => !controlOrLoneSurrogate.test(value));

const maxRoles = 32;
const roleName = text(64);

/** Members that are not named here are dropped, never merged; those that are must be well-formed. */
export function createClaimsSchema(lifetimeSeconds: number) {
  return z
    .object({
      iss: text(1024),
      aud: text(1024),
      sub: text(256),
      client_id: text(256),
      iat: z.int().min(0),
      exp: z.int().min(1),
      nbf: z.int().optional(),
      jti: uuid,
      sid: uuid,
      epoch: z.int().min(0),
      roles: z.custom<readonly string[]>(isListOfRoles),
      // RFC 9068 §2.2.3: read by nobody here, and yet a text if it is there.
      scope: text(1024).optional(),
    })
    .refine(({ iat, exp }) => iat < exp && exp <= iat + lifetimeSeconds)
    .transform(({ scope: _scope, ...claims }): AccessTokenClaims => claims);
}

/** One answer for all entries: the length of the list is looked at first. */
function isListOfRoles(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length <= maxRoles &&
    value.every((role) => roleName.safeParse(role).success)
  );
}
