import { createHash } from "node:crypto";
import type { Randomness } from "../../shared/ports/platform.ts";

/**
 * Opaque to its holder: the session's id (16 bytes, no secret: access tokens name it), the session's secret (32 bytes),
 * which all its refresh tokens share and nothing else shows, and the token's own secret (32 bytes), in base64url. Who
 * knows the session's secret holds a token that was given out, spent or not; only he may end the session with it.
 */
export interface RefreshToken {
  readonly sid: string;
  /**
   * SHA-256 of the session's secret and of the token, hexadecimal: all that is stored. Secrets of 256 bits need no
   * slow hash.
   */
  readonly hash: string;
}

export type RefreshTokenText = RefreshToken & { readonly text: string };

const sidBytes = 16;
const secretBytes = 32;
const sessionSecretEnd = sidBytes + secretBytes;
const tokenBytes = sessionSecretEnd + secretBytes;
const hashLength = 64;

/** The first one of a session. */
export function createRefreshToken(sid: string, randomness: Randomness): RefreshTokenText {
  const sidPart = Buffer.from(sid.replaceAll("-", ""), "hex");
  return encode(sid, [sidPart, randomness.bytes(secretBytes), randomness.bytes(secretBytes)]);
}

/** The one that takes the place of `spent`. */
export function createNextRefreshToken(spent: RefreshTokenText, randomness: Randomness): RefreshTokenText {
  const kept = Buffer.from(spent.text, "base64url").subarray(0, sessionSecretEnd);
  return encode(spent.sid, [kept, randomness.bytes(secretBytes)]);
}

/** Whether the token was given out for the session that stores `storedHash`: the present one, or a spent one. */
export function isOfSession({ hash }: RefreshToken, storedHash: string): boolean {
  return hash.slice(0, hashLength) === storedHash.slice(0, hashLength);
}

function encode(sid: string, parts: readonly Uint8Array[]): RefreshTokenText {
  const bytes = Buffer.concat(parts);
  return { text: bytes.toString("base64url"), sid, hash: hashOf(bytes) };
}

/** Null for what cannot be one of ours. */
export function parseRefreshToken(text: string): RefreshTokenText | null {
  const bytes = Buffer.from(text, "base64url");
  if (bytes.length !== tokenBytes || bytes.toString("base64url") !== text) return null;
  const hex = bytes.toString("hex", 0, sidBytes);
  const sid = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join(
    "-",
  );
  return { text, sid, hash: hashOf(bytes) };
}

function hashOf(token: Uint8Array): string {
  return sha256(token.subarray(sidBytes, sessionSecretEnd)) + sha256(token);
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
