import { generateKeyPair } from "node:crypto";
import { promisify } from "node:util";
import type { JWK } from "jose";

export type NamedJwk = JWK & { readonly kid: string };

export interface JwkMarks {
  readonly "quash:retired_at"?: string;
  readonly "quash:compromised_at"?: string;
}

const generate = promisify(generateKeyPair);

/** A private key on P-256: made in a millisecond. */
export async function freshJwk(kid: string): Promise<NamedJwk> {
  const { privateKey } = await generate("ec", { namedCurve: "P-256" });
  return { ...privateKey.export({ format: "jwk" }), kid };
}

export function publicOnly(jwk: NamedJwk | undefined) {
  const { d: _private, ...rest } = jwk ?? {};
  return rest;
}

/** The text of a JWK Set. */
export function setOf(...keys: readonly unknown[]): string {
  return JSON.stringify({ keys });
}
