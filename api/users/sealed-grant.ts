import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";
import { z } from "zod";
import type { Randomness } from "../../shared/ports/platform.ts";
import type { RefreshTokenText } from "./refresh-token.ts";
import type { TokenGrant } from "./token-grant.ts";

const cipher = "aes-256-gcm";
const keyBytes = 32;
const ivBytes = 12;
const tagBytes = 16;
const purpose = "quash: the answer to a refresh";

const grantSchema = z.strictObject({
  accessToken: z.string(),
  expiresInSeconds: z.number(),
  refreshToken: z.string(),
  refreshExpiresInSeconds: z.number(),
});

/**
 * What a refresh hands out, in a form that can be stored: the key comes from the refresh token that was spent for it,
 * of which the server keeps a hash only. Whoever reads the database can open nothing.
 */
export function sealGrant(grant: TokenGrant, spent: RefreshTokenText, randomness: Randomness): string {
  const iv = randomness.bytes(ivBytes);
  const sealing = createCipheriv(cipher, keyOf(spent), iv);
  const sealed = Buffer.concat([sealing.update(JSON.stringify(grant), "utf8"), sealing.final()]);
  return Buffer.concat([iv, sealing.getAuthTag(), sealed]).toString("base64url");
}

/** Null when it was sealed with another token, or has been changed. */
export function openGrant(text: string, spent: RefreshTokenText): TokenGrant | null {
  const bytes = Buffer.from(text, "base64url");
  if (bytes.length < ivBytes + tagBytes) return null;
  const opening = createDecipheriv(cipher, keyOf(spent), bytes.subarray(0, ivBytes));
  opening.setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
  const opened = opening.update(bytes.subarray(ivBytes + tagBytes));
  try {
    opening.final();
  } catch {
    // The tag does not fit: nothing of what was deciphered may be looked at.
    return null;
  }
  return grantSchema.parse(JSON.parse(opened.toString("utf8")));
}

function keyOf({ text }: RefreshTokenText): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", Buffer.from(text, "base64url"), "", purpose, keyBytes));
}
