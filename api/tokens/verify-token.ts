import jwt from "jsonwebtoken";
import type { ZodError } from "zod";
import { AppError } from "../../shared/errors.ts";
import type { Clock } from "../../shared/ports/platform.ts";
import type { TokenKey } from "../../shared/ports/session-store.ts";
import { type AccessTokenClaims, createClaimsSchema } from "./claims.ts";
import type { KeySet, VerificationKey } from "./keys.ts";
import { longestTokenLifetimeSeconds } from "./longest-lifetime.ts";
import { type ParsedToken, parseToken } from "./parse-token.ts";

export interface VerifyTokenDeps {
  readonly keys: KeySet;
  readonly issuer: string;
  readonly audience: string;
  /** How far the clocks of two instances may lie apart. A token counts as expired once this has passed since `exp`. */
  readonly clockToleranceSeconds: number;
  /** The longest lifetime that any instance gives to a token; a day unless given. */
  readonly tokenLifetimeSeconds?: number;
  readonly clock: Clock;
}

const allowedHeaderMembers = new Set(["alg", "typ", "kid"]);
const maxHeaderBytes = 1024;
const accessTokenType = "at+jwt";

/**
 * Verifies an access token by RFC 8725 and RFC 9068 §4: its shape, its header, the signature, its claims, in this
 * order. Synchronous, without I/O. Throws an `AppError` that names the first fault; nothing of the token is in it.
 */
export function createVerifyToken(deps: VerifyTokenDeps) {
  const schema = createClaimsSchema(deps.tokenLifetimeSeconds ?? longestTokenLifetimeSeconds);

  return function verifyToken(token: string): AccessTokenClaims {
    const parsed = parseToken(token);
    const key = chooseKey(deps.keys, parsed);
    if (parsed.signature.length !== key.signatureBytes) throw refusedSignature();
    refuseByContents(parsed);
    const nowSeconds = Math.floor(deps.clock.wallMs() / 1000);
    const claims = schema.safeParse(verifySignature(token, key, nowSeconds, deps));
    if (!claims.success) throw refusedBySchema(claims.error);
    refuseByTime(claims.data, { nowSeconds, clockToleranceSeconds: deps.clockToleranceSeconds });
    return claims.data;
  };
}

export type VerifyToken = ReturnType<typeof createVerifyToken>;

/** Throws `token-expired` or `token-not-yet-valid`: the two that may become of a good token by itself. */
export function refuseByTime(
  { exp, nbf, iat }: Pick<AccessTokenClaims, "exp" | "nbf" | "iat">,
  { nowSeconds, clockToleranceSeconds }: { nowSeconds: number; clockToleranceSeconds: number },
): void {
  if (nowSeconds >= exp + clockToleranceSeconds) throw expired();
  // RFC 7519 §4.1.6 leaves `iat` to the application: one from the future would outrun a cut-off by time.
  if (Math.max(iat, nbf ?? 0) > nowSeconds + clockToleranceSeconds) throw notYetValid();
}

/** What no signature could make good. */
function refuseByContents({ claims, ...parsed }: ParsedToken): void {
  if (parsed.hasRepeatedClaim) throw refusedClaims("a claim stands in it twice");
  if (parsed.isCrowded) {
    throw Array.isArray(claims["aud"]) ? refusedAudience() : refusedClaims("they have too many entries");
  }
  if (parsed.hasHiddenCharacter) throw refusedClaims("a text holds a control character or half a character");
  if (Object.keys(claims).length === 0) throw refusedClaims("it has no claims");
}

/**
 * Throws `key-unknown`, `signature-invalid` or `algorithm-rejected` where a token of ours, which this key signed, can no
 * longer be verified.
 */
export function refuseByKey(keys: KnownKeys, { kid, alg, thumbprint }: TokenKey): void {
  const key = chooseKey(keys, { header: { kid, alg, typ: accessTokenType }, headerBytes: 0 });
  if (key.thumbprint !== thumbprint) throw refusedSignature();
}

export type KnownKeys = Pick<KeySet, "find" | "algorithms">;

/** The order makes each fault come out under its own name, also where a long one breaks two rules. */
function chooseKey(
  keys: KnownKeys,
  { header, headerBytes }: Pick<ParsedToken, "header" | "headerBytes">,
): VerificationKey {
  const alg = header["alg"];
  if (typeof alg !== "string" || !keys.algorithms.has(alg)) throw refusedAlgorithm();
  const foreign = Object.keys(header).find((member) => !allowedHeaderMembers.has(member));
  if (foreign !== undefined) {
    throw new AppError("header-rejected", "The token's header may have alg, typ and kid, and nothing else.");
  }
  // RFC 8725 §3.11: explicit typing, so that no other kind of token passes for an access token.
  if (header["typ"] !== accessTokenType) {
    throw new AppError("token-type-rejected", "Send an access token: its header says typ at+jwt.");
  }
  const key = typeof header["kid"] === "string" ? keys.find(header["kid"]) : undefined;
  if (!key) throw new AppError("key-unknown", "The token's kid names no key of this service; sign in again.");
  if (alg !== key.alg) throw refusedAlgorithm();
  if (headerBytes > maxHeaderBytes) {
    throw new AppError("header-rejected", `The token's header has more than ${maxHeaderBytes} bytes.`);
  }
  return key;
}

function verifySignature(
  token: string,
  key: VerificationKey,
  nowSeconds: number,
  deps: VerifyTokenDeps,
): unknown {
  try {
    return jwt.verify(token, key.key, {
      algorithms: [key.alg],
      issuer: deps.issuer,
      audience: deps.audience,
      clockTolerance: deps.clockToleranceSeconds,
      clockTimestamp: nowSeconds,
    });
  } catch (error) {
    throw translate(error);
  }
}

/** jsonwebtoken tells its refusals apart by their text only. */
function translate(error: unknown): unknown {
  if (error instanceof jwt.TokenExpiredError) {
    return expired();
  }
  if (error instanceof jwt.NotBeforeError) return notYetValid();
  if (!(error instanceof jwt.JsonWebTokenError)) return error;
  if (error.message.startsWith("jwt audience invalid")) {
    return refusedAudience();
  }
  if (error.message.startsWith("jwt issuer invalid")) {
    return new AppError("issuer-rejected", "The token's iss is not this service's issuer.");
  }
  if (/^invalid (nbf|exp) value$/.test(error.message)) return refusedClaims(error.message.slice(8, 11));
  return refusedSignature();
}

function refusedAlgorithm(): AppError {
  return new AppError("algorithm-rejected", "The token's alg is not the one of this service's keys.");
}

function refusedSignature(): AppError {
  return new AppError("signature-invalid", "The token's signature is not one of this service's keys.");
}

function refusedClaims(what: string): AppError {
  return new AppError("claims-invalid", `The token's claims are not acceptable: ${what || "iat, exp"}.`);
}

function refusedBySchema({ issues }: ZodError): AppError {
  const names = new Set(issues.map(({ path }) => path.join(".")));
  // One of several audiences, of which this service may be one: its tokens are for one alone.
  return names.has("aud") ? refusedAudience() : refusedClaims([...names].join(", "));
}

function refusedAudience(): AppError {
  return new AppError("audience-rejected", "The token's aud is not this service, and nobody else.");
}

function expired(): AppError {
  return new AppError("token-expired", "The access token has expired; refresh it or sign in again.");
}

function notYetValid(): AppError {
  return new AppError("token-not-yet-valid", "The token is not valid yet; check the clock of its issuer.");
}
