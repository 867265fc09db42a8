import { createHash } from "node:crypto";

/** 128 bits, as 32 lower-case hexadecimal digits. Names a token (issuer + jti) or a subject (issuer + sub). */
export type Fingerprint = string & { readonly __brand: "Fingerprint" };

const canonicalUuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * Makes fingerprints. A canonical UUID of our own issuer is its own fingerprint; all else is hashed with
 * SHA-256, so that nobody can aim a name of another issuer at one of ours. The same in every process.
 */
export function createFingerprinter(ownIssuer: string) {
  return function fingerprint(issuer: string, name: string): Fingerprint {
    if (issuer === ownIssuer && canonicalUuid.test(name)) return name.replaceAll("-", "") as Fingerprint;
    return createHash("sha256")
      .update(JSON.stringify([issuer, name]))
      .digest("hex")
      .slice(0, 32) as Fingerprint;
  };
}

export type Fingerprinter = ReturnType<typeof createFingerprinter>;

/** Throws a `TypeError` on anything that is not a fingerprint. */
export function parseFingerprint(text: unknown): Fingerprint {
  if (typeof text !== "string" || !/^[0-9a-f]{32}$/.test(text)) throw new TypeError("not a fingerprint");
  return text as Fingerprint;
}
