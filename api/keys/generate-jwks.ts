import { calculateJwkThumbprint, exportJWK, generateKeyPair } from "jose";
import type { SigningAlgorithm } from "../tokens/keys.ts";

/** A JWK Set with one fresh private key (RSA of 2048 bits, or P-256), as indented JSON. */
export async function generateJwks(alg: SigningAlgorithm): Promise<string> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true, modulusLength: 2048 });
  const jwk = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint(jwk);
  return `${JSON.stringify({ keys: [{ kid, alg, use: "sig", ...jwk }] }, null, 2)}\n`;
}
