import { createHash } from "node:crypto";
import type { Randomness } from "../../shared/ports/platform.ts";

/** Opaque to its holder: the session's id (16 bytes) and a secret (32 bytes), in base64url. */
export interface RefreshToken {
  readonly sid: string;
  /** SHA-256 of the token, hexadecimal: all that is stored. A secret of 256 bits needs no slow hash. */
  readonly hash: string;
}

const sidBytes = 16;
const secretBytes = 32;

export function createRefreshToken(
  sid: string,
  randomness: Randomness,
): RefreshToken & { readonly text: string } {
  const text = Buffer.concat([
    Buffer.from(sid.replaceAll("-", ""), "hex"),
    randomness.bytes(secretBytes),
  ]).toString("base64url");
  return { text, sid, hash: hashOf(text) };
}

/** Null for what cannot be one of ours. */
export function parseRefreshToken(text: string): RefreshToken | null {
  const bytes = Buffer.from(text, "base64url");
  if (bytes.length !== sidBytes + secretBytes || bytes.toString("base64url") !== text) return null;
  const hex = bytes.toString("hex", 0, sidBytes);
  const sid = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join(
    "-",
  );
  return { sid, hash: hashOf(text) };
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
