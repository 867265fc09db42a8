import { AppError } from "../../shared/errors.ts";
import { type ImportedKey, importKey } from "../tokens/import-key.ts";

const maxKeys = 8;

/**
 * A client's public keys, from a JWK Set (RFC 7517 §5). Throws `validation-failed`, which names what is wrong with
 * which key, and holds nothing of them.
 */
export async function parseClientKeys(text: string): Promise<readonly ImportedKey[]> {
  const keys: ImportedKey[] = [];
  for (const [index, jwk] of keysIn(text).entries()) {
    const name = `key ${index + 1}`;
    if (typeof jwk === "object" && jwk !== null && "d" in jwk) {
      throw unacceptable(`${name} has its private part, which belongs to the client alone`);
    }
    const read = await importKey(jwk);
    if ("problems" in read) throw unacceptable(`${name} ${read.problems.join(", ")}`);
    if (keys.some(({ kid }) => kid === read.kid)) throw unacceptable(`${name} has the kid of another key`);
    keys.push(read);
  }
  return keys;
}

function keysIn(text: string): readonly unknown[] {
  let jwks: unknown;
  try {
    jwks = JSON.parse(text);
  } catch {
    // The parser's message quotes the text.
    throw unacceptable("it is not JSON");
  }
  const keys = typeof jwks === "object" && jwks !== null && "keys" in jwks ? jwks.keys : undefined;
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > maxKeys) {
    throw unacceptable(`it is not a JWK Set with 1 to ${maxKeys} keys: {"keys": [...]}`);
  }
  return keys;
}

function unacceptable(why: string): AppError {
  return new AppError("validation-failed", `The client's keys are not acceptable: ${why}.`);
}
