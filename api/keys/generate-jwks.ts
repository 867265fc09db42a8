import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from "jose";
import type { SigningAlgorithm } from "../tokens/keys.ts";

/** A JWK Set with one fresh private key (RSA of 2048 bits, or P-256), as indented JSON. */
export async function generateJwks(alg: SigningAlgorithm): Promise<string> {
  return `${JSON.stringify({ keys: [await makeJwk(alg)] }, null, 2)}\n`;
}

/** A fresh private key, named by its thumbprint (RFC 7638). */
export async function makeJwk(alg: SigningAlgorithm): Promise<JWK & { readonly kid: string }> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true, modulusLength: 2048 });
  const jwk = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint(jwk);
  return { alg, use: "sig", ...jwk, kid };
}
