import type { KeyObject } from "node:crypto";
import { AppError } from "../../shared/errors.ts";
import { type ImportedKey, importKey } from "./import-key.ts";

export const algorithms = ["RS256", "ES256", "PS256"] as const;
export type SigningAlgorithm = (typeof algorithms)[number];

export interface SigningKey {
  readonly kid: string;
  readonly alg: SigningAlgorithm;
  readonly key: KeyObject;
}

export interface VerificationKey extends SigningKey {
  /** The only length that a signature of this key has. */
  readonly signatureBytes: number;
}

export interface KeySet {
  /** The first key of the set, private. */
  readonly signing: SigningKey;
  /** The algorithms of all keys. */
  readonly algorithms: ReadonlySet<string>;
  find(kid: string): VerificationKey | undefined;
  /** RFC 7517 §5, without private parts. */
  readonly publicJwks: { readonly keys: readonly object[] };
}

/**
 * Reads a JWK Set (RFC 7517 §5): the first key signs, all of them verify. Throws `config-invalid` with all problems
 * in one message, which never holds key material.
 */
export async function parseKeys(jwksText: string): Promise<KeySet> {
  const jwks = parseJwkSet(jwksText);
  const problems: string[] = [];
  const keys: ImportedKey[] = [];
  for (const [index, jwk] of jwks.entries()) {
    const read = await importKey(jwk, { mustSign: index === 0 });
    const name = `key ${index + 1}`;
    if ("problems" in read) problems.push(...read.problems.map((problem) => `${name} ${problem}`));
    else if (keys.some(({ kid }) => kid === read.kid)) problems.push(`${name} has the kid of another key`);
    else keys.push(read);
  }
  const [first] = keys;
  if (problems.length > 0 || !first?.privateKey) throw unacceptable(problems);
  return createKeySet(keys, { kid: first.kid, alg: first.alg, key: first.privateKey });
}

function createKeySet(keys: readonly ImportedKey[], signing: SigningKey): KeySet {
  // A Map and not an object: a kid comes from the caller, and may be `__proto__`.
  const byKid = new Map<string, VerificationKey>();
  for (const { kid, alg, publicKey, signatureBytes } of keys) {
    byKid.set(kid, { kid, alg, key: publicKey, signatureBytes });
  }
  return {
    signing,
    algorithms: new Set(keys.map(({ alg }) => alg)),
    find: (kid) => byKid.get(kid),
    publicJwks: {
      keys: keys.map(({ kid, alg, publicKey }) => ({
        ...publicKey.export({ format: "jwk" }),
        kid,
        alg,
        use: "sig",
      })),
    },
  };
}

function parseJwkSet(text: string): readonly unknown[] {
  let jwks: unknown;
  try {
    jwks = JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which holds private keys: neither it nor the error travels on.
    throw unacceptable(["is not JSON"]);
  }
  const keys = typeof jwks === "object" && jwks !== null && "keys" in jwks ? jwks.keys : undefined;
  if (!Array.isArray(keys) || keys.length === 0) {
    throw unacceptable(['is not a JWK Set with at least one key: {"keys": [...]}']);
  }
  return keys;
}

function unacceptable(problems: readonly string[]): AppError {
  const lines = problems.map((problem) => `- the signing keys: ${problem}`);
  return new AppError(
    "config-invalid",
    [...lines, "`npm run keys -- generate` makes a good set."].join("\n"),
  );
}
