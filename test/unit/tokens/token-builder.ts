import { createHmac, type KeyObject, sign } from "node:crypto";
import { generateJwks } from "../../../api/keys/generate-jwks.ts";
import type { AccessTokenClaims } from "../../../api/tokens/claims.ts";
import { type KeySet, parseKeys, type SigningAlgorithm } from "../../../api/tokens/keys.ts";

export const issuer = "https://issuer.test";
export const audience = "https://api.test";
/** 2026-01-15T12:00:00Z, where the manual clock starts. */
export const nowSeconds = 1_768_478_400;

const made = new Map<SigningAlgorithm, Promise<KeySet>>();

export function keysOf(alg: SigningAlgorithm): Promise<KeySet> {
  const keys = made.get(alg) ?? generateJwks(alg).then(parseKeys);
  made.set(alg, keys);
  return keys;
}

export const goodClaims: AccessTokenClaims = {
  iss: issuer,
  aud: audience,
  sub: "0b6f2f2e-5b0c-4e63-9d52-3f7f3c9d0a11",
  client_id: "quash",
  iat: nowSeconds - 10,
  exp: nowSeconds + 890,
  jti: "7a0b8f0e-2f7d-4a53-8a43-1b2f0a6f4c55",
  sid: "c1d5a9f2-7c34-4c0e-9f3a-6a1e5d2b7f90",
  epoch: 3,
  roles: ["user"],
};

export function goodHeader(keys: KeySet): Record<string, unknown> {
  return { alg: keys.signing.alg, typ: "at+jwt", kid: keys.signing.kid };
}

export const encode = (part: unknown): string =>
  Buffer.from(typeof part === "string" || part instanceof Uint8Array ? part : JSON.stringify(part)).toString(
    "base64url",
  );

/** A genuine signature over whatever header and payload are given; text and bytes are taken as they are. */
export function signed(keys: KeySet, header: unknown, payload: unknown): string {
  return signText(keys.signing.key, keys.signing.alg, `${encode(header)}.${encode(payload)}`);
}

export function signText(key: KeyObject, alg: SigningAlgorithm, input: string): string {
  const options =
    alg === "ES256"
      ? { key, dsaEncoding: "ieee-p1363" as const }
      : { key, ...(alg === "PS256" && { padding: 6, saltLength: 32 }) };
  return `${input}.${sign("sha256", Buffer.from(input), options).toString("base64url")}`;
}

/** The claims with some of them replaced; `undefined` leaves one out. */
export function withClaims(keys: KeySet, claims: Record<string, unknown>): string {
  return signed(keys, goodHeader(keys), { ...goodClaims, ...claims });
}

export function withHeader(keys: KeySet, header: Record<string, unknown>): string {
  return signed(keys, { ...goodHeader(keys), ...header }, goodClaims);
}

export function hmacSigned(secret: string | Uint8Array, header: unknown): string {
  const input = `${encode(header)}.${encode(goodClaims)}`;
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}
