import type { KeyObject } from "node:crypto";
import { AppError } from "../../shared/errors.ts";
import { type ImportedKey, importKey } from "./import-key.ts";

export const algorithms = ["RS256", "ES256", "PS256"] as const;
export type SigningAlgorithm = (typeof algorithms)[number];

export interface SigningKey {
  readonly kid: string;
  readonly alg: SigningAlgorithm;
  /** RFC 7638. */
  readonly thumbprint: string;
  readonly key: KeyObject;
}

export interface VerificationKey extends SigningKey {
  /** The only length that a signature of this key has. */
  readonly signatureBytes: number;
}

/** A key as the set lists it, whatever may be done with it. */
export interface ListedKey extends ImportedKey {
  readonly verification: VerificationKey;
  /** RFC 7517 §4, without private parts. */
  readonly publicJwk: object;
}

export interface KeySet {
  /** The first key that is neither retired nor compromised, private. */
  readonly signing: SigningKey;
  /** The algorithms of all keys. */
  readonly algorithms: ReadonlySet<string>;
  /** No compromised one. */
  find(kid: string): VerificationKey | undefined;
  /** RFC 7517 §5, without private parts and without compromised keys. */
  readonly publicJwks: { readonly keys: readonly object[] };
  /** All of them, in their order. */
  readonly listed: readonly ListedKey[];
}

/** More than anybody rotates through; what is older can go. */
const maxKeys = 32;

/**
 * Reads a JWK Set (RFC 7517 §5): the first key that is neither retired nor compromised signs, all but compromised ones
 * verify. Throws `config-invalid` with all problems in one message, which never holds key material.
 */
export async function parseKeys(jwksText: string): Promise<KeySet> {
  const problems: string[] = [];
  const keys: ImportedKey[] = [];
  const places: (ImportedKey | null)[] = [];
  for (const [index, jwk] of parseJwkSet(jwksText).entries()) {
    const read = await importKey(jwk);
    const found = "problems" in read ? read.problems : [...repetitionsIn(keys, read)];
    problems.push(...found.map((problem) => `key ${index + 1} ${problem}`));
    const key = "problems" in read || found.length > 0 ? null : read;
    places.push(key);
    if (key !== null) keys.push(key);
  }
  problems.push(...signerProblemsIn(places));
  if (problems.length > 0) throw unacceptable(problems);
  return createKeySet(keys.map(listedKey));
}

/** None where a refused key, null, comes first: that one might have been the one to sign. */
function* signerProblemsIn(keys: readonly (ImportedKey | null)[]): Generator<string> {
  const at = keys.findIndex((key) => key === null || maySign(key));
  if (at === -1) yield "has no key that may sign: each one is retired or compromised";
  else if (keys[at]?.privateKey === null) yield `key ${at + 1} signs, so it must have its private part`;
}

function maySign({ retiredAtMs, compromisedAtMs }: KeyState): boolean {
  return retiredAtMs === null && compromisedAtMs === null;
}

type KeyState = Pick<ImportedKey, "retiredAtMs" | "compromisedAtMs">;

/** The one that is to sign: may lack its private part. */
export function signerIn<K extends KeyState>(keys: readonly K[]): K | undefined {
  return keys.find(maySign);
}

function* repetitionsIn(keys: readonly ImportedKey[], { kid, thumbprint }: ImportedKey): Generator<string> {
  if (keys.some((key) => key.kid === kid)) yield "has the kid of another key";
  if (keys.some((key) => key.thumbprint === thumbprint)) yield "is the same key as another one";
}

function listedKey(key: ImportedKey): ListedKey {
  const { kid, alg, thumbprint, publicKey, signatureBytes } = key;
  return {
    ...key,
    verification: { kid, alg, thumbprint, key: publicKey, signatureBytes },
    publicJwk: { ...publicKey.export({ format: "jwk" }), kid, alg, use: "sig" },
  };
}

function createKeySet(listed: readonly ListedKey[]): KeySet {
  const good = listed.filter(({ compromisedAtMs }) => compromisedAtMs === null);
  // A Map and not an object: a kid comes from the caller, and may be `__proto__`.
  const byKid = new Map(good.map(({ kid, verification }) => [kid, verification]));
  return {
    get signing() {
      return signingKeyOf(signerIn(listed));
    },
    algorithms: new Set(listed.map(({ alg }) => alg)),
    find: (kid) => byKid.get(kid),
    publicJwks: { keys: good.map(({ publicJwk }) => publicJwk) },
    listed,
  };
}

/** Throws `no-signing-key`. */
export function signingKeyOf(signer: ListedKey | undefined): SigningKey {
  if (!signer?.privateKey) {
    throw new AppError("no-signing-key", "This instance has no key that may sign; try again shortly.", {
      retryAfterSeconds: 5,
    });
  }
  const { kid, alg, thumbprint, privateKey } = signer;
  return { kid, alg, thumbprint, key: privateKey };
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
  if (keys.length > maxKeys) throw unacceptable([`has more than ${maxKeys} keys; take out the oldest ones`]);
  return keys;
}

function unacceptable(problems: readonly string[]): AppError {
  const lines = problems.map((problem) => `- the signing keys: ${problem}`);
  return new AppError(
    "config-invalid",
    [...lines, "`npm run keys -- generate` makes a good set."].join("\n"),
  );
}
