import { createHash, timingSafeEqual } from "node:crypto";
import type { Randomness } from "../../shared/ports/platform.ts";

const secretBytes = 32;

export function createClientSecret(randomness: Randomness): string {
  return Buffer.from(randomness.bytes(secretBytes)).toString("base64url");
}

/** All that is stored. A secret of 256 random bits, which nobody chose, needs no slow hash. */
export function hashOfSecret(secret: string): string {
  return createHash("sha256").update(secret, "utf8").digest("hex");
}

/** Takes as long where there is no such client, or one without a secret, as where the secret is wrong. */
export function isSecretOf(secretHash: string | null | undefined, secret: string): boolean {
  const given = Buffer.from(hashOfSecret(secret), "hex");
  const expected = secretHash ? Buffer.from(secretHash, "hex") : given.map((byte) => byte ^ 0xff);
  return timingSafeEqual(given, expected);
}
