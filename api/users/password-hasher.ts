import { hash, verify } from "@node-rs/argon2";
import type { PasswordHasher, Randomness } from "../../shared/ports/platform.ts";

/** The least that OWASP's password storage cheat sheet asks of Argon2id, this library's default variant. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

export function createArgon2Hasher(): PasswordHasher {
  return {
    hash: (password) => hash(password, cost),
    verify: (encodedHash, password) => verify(encodedHash, password),
  };
}

/** A hash that no password has: what a sign-in is checked against when there is no such user. Made once, at start. */
export function hashOfNobody(hasher: PasswordHasher, randomness: Randomness): Promise<string> {
  return hasher.hash(Buffer.from(randomness.bytes(32)).toString("base64url"));
}
