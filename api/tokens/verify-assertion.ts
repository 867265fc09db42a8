import jwt from "jsonwebtoken";
import { z } from "zod";
import { AppError } from "../../shared/errors.ts";
import { plainText } from "../../shared/events/event-schema.ts";
import type { ImportedKey } from "./import-key.ts";
import { algorithms } from "./keys.ts";
import { type ParsedToken, parseToken } from "./parse-token.ts";

export interface Assertion {
  readonly jti: string;
  /** NumericDate, seconds. */
  readonly exp: number;
}

export interface AssertionRules {
  readonly clientId: string;
  readonly keys: readonly ImportedKey[];
  /** One of them is its `aud`. */
  readonly audiences: readonly string[];
  readonly nowSeconds: number;
  readonly clockToleranceSeconds: number;
}

/** What is remembered so that none is used twice is bounded by it. */
export const longestAssertionSeconds = 300;

const headerMembers = new Set(["alg", "typ", "kid"]);
const types: readonly unknown[] = [undefined, "JWT", "client-authentication+jwt"];
const claimsSchema = z.object({
  iss: z.string(),
  sub: z.string(),
  aud: z.union([z.string(), z.tuple([z.string()]).transform(([only]) => only)]),
  exp: z.int().min(1),
  iat: z.int().min(0).optional(),
  nbf: z.int().min(0).optional(),
  jti: plainText(128),
});

/** Whose it says that it is, before anything is verified; null when it says nothing. */
export function claimedClientOf(assertion: string): string | null {
  const subject = parsed(assertion)?.claims["sub"];
  return typeof subject === "string" ? subject : null;
}

/**
 * Verifies what a client authenticates with (RFC 7523 §3, RFC 8725): its shape, its header, the signature, its claims.
 * Null when anything is wrong with it. Whether it was used before is for the caller to ask.
 */
export function verifyAssertion(assertion: string, rules: AssertionRules): Assertion | null {
  const token = parsed(assertion);
  const key = token && chooseKey(token, rules.keys);
  if (!token || !key || token.signature.length !== key.signatureBytes) return null;
  const claims = claimsSchema.safeParse(claimsOf(assertion, key, rules));
  if (!claims.success) return null;
  const { iss, sub, aud, exp, iat = 0, nbf = 0, jti } = claims.data;
  const { clientId, audiences, nowSeconds, clockToleranceSeconds } = rules;
  const latestSeconds = nowSeconds + clockToleranceSeconds;
  const isHis = iss === clientId && sub === clientId && audiences.includes(aud);
  const isNow = exp <= latestSeconds + longestAssertionSeconds && Math.max(iat, nbf) <= latestSeconds;
  return isHis && isNow ? { jti, exp } : null;
}

function parsed(assertion: string): ParsedToken | null {
  try {
    const token = parseToken(assertion);
    return token.hasRepeatedClaim ? null : token;
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
}

/** Without a kid the client has one key only. */
function chooseKey({ header }: ParsedToken, keys: readonly ImportedKey[]): ImportedKey | undefined {
  const { alg, kid, typ } = header;
  if (Object.keys(header).some((member) => !headerMembers.has(member)) || !types.includes(typ))
    return undefined;
  if (!algorithms.some((known) => known === alg)) return undefined;
  const key = kid === undefined && keys.length === 1 ? keys[0] : keys.find((each) => each.kid === kid);
  return key?.alg === alg ? key : undefined;
}

function claimsOf(assertion: string, key: ImportedKey, rules: AssertionRules): unknown {
  try {
    return jwt.verify(assertion, key.publicKey, {
      algorithms: [key.alg],
      clockTolerance: rules.clockToleranceSeconds,
      clockTimestamp: rules.nowSeconds,
    });
  } catch (error) {
    if (error instanceof jwt.JsonWebTokenError) return null;
    throw error;
  }
}
