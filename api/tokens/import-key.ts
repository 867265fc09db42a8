import {
  createPrivateKey,
  createPublicKey,
  type JsonWebKey,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { calculateJwkThumbprint } from "jose";
import { z } from "zod";
import type { SigningAlgorithm } from "./keys.ts";

export interface ImportedKey {
  readonly kid: string;
  readonly alg: SigningAlgorithm;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject | null;
  readonly signatureBytes: number;
  /** RFC 7638: the same for the same key, whatever it is called. */
  readonly thumbprint: string;
  /** When it stopped signing; its tokens count until the last of them has expired. */
  readonly retiredAtMs: number | null;
  /** Somebody else may have its private part: none of its tokens counts. */
  readonly compromisedAtMs: number | null;
}

export interface RefusedKey {
  readonly problems: readonly string[];
}

const member = z.string().regex(/^[A-Za-z0-9_-]+$/);
const kid = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[^\p{Cc}\p{Cs}]+$/u)
  .optional();
/** RFC 7517 §4: members of our own; whoever does not know them ignores them. */
export const retiredAtMember = "quash:retired_at";
export const compromisedAtMember = "quash:compromised_at";
const time = z.iso.datetime({ offset: true }).optional();
const shared = {
  kid,
  [retiredAtMember]: time,
  [compromisedAtMember]: time,
  use: z.literal("sig").optional(),
  key_ops: z.array(z.enum(["sign", "verify"])).optional(),
};
const jwkSchema = z.discriminatedUnion("kty", [
  z.object({
    ...shared,
    kty: z.literal("RSA"),
    alg: z.enum(["RS256", "PS256"]).optional(),
    n: member,
    e: member,
    d: member.optional(),
    p: member.optional(),
    q: member.optional(),
    dp: member.optional(),
    dq: member.optional(),
    qi: member.optional(),
  }),
  z.object({
    ...shared,
    kty: z.literal("EC"),
    alg: z.literal("ES256").optional(),
    crv: z.literal("P-256"),
    x: member,
    y: member,
    d: member.optional(),
  }),
]);

const publicMembers = new Set(["kty", "n", "e", "crv", "x", "y"]);

const expectations: Readonly<Record<string, string>> = {
  kty: "must be RSA or EC: symmetric keys cannot be told apart from the public ones",
  alg: "has an alg that is not RS256 or PS256 for RSA, ES256 for EC",
  crv: "must be on the curve P-256",
  kid: "must have a kid of 1 to 128 characters, or none",
  use: 'must have use "sig", or none',
  key_ops: "has key_ops other than sign and verify",
  [retiredAtMember]: `has a ${retiredAtMember} that is no RFC 3339 time`,
  [compromisedAtMember]: `has a ${compromisedAtMember} that is no RFC 3339 time`,
};

/** Reads one JWK. Never throws; no problem quotes the key. */
export async function importKey(jwk: unknown): Promise<ImportedKey | RefusedKey> {
  const read = jwkSchema.safeParse(jwk);
  if (!read.success) {
    const members = new Set(read.error.issues.map((issue) => String(issue.path[0] ?? "kty")));
    return { problems: [...members].map((name) => expectations[name] ?? `lacks a well-formed ${name}`) };
  }
  const {
    kid: givenKid,
    use: _use,
    key_ops,
    alg: givenAlg,
    [retiredAtMember]: retiredAt,
    [compromisedAtMember]: compromisedAt,
    ...material
  } = read.data;
  const alg = givenAlg ?? (material.kty === "RSA" ? "RS256" : "ES256");
  const isPrivate = material.d !== undefined;
  const problems: string[] = [];
  const operation = isPrivate ? "sign" : "verify";
  if (key_ops && !key_ops.includes(operation)) problems.push(`has key_ops without ${operation}`);
  const pair = importPair(material, isPrivate);
  if (!pair) return { problems: [...problems, "is not a key that can be imported"] };
  problems.push(...weaknesses(pair.publicKey));
  if (pair.privateKey && problems.length === 0 && !isPair(pair.privateKey, pair.publicKey)) {
    problems.push("has a private part that does not belong to its public part");
  }
  if (problems.length > 0) return { problems };
  const thumbprint = await calculateJwkThumbprint(pair.publicKey.export({ format: "jwk" }));
  return {
    kid: givenKid ?? thumbprint,
    alg,
    ...pair,
    signatureBytes: signatureBytesOf(pair.publicKey),
    thumbprint,
    retiredAtMs: retiredAt === undefined ? null : Date.parse(retiredAt),
    compromisedAtMs: compromisedAt === undefined ? null : Date.parse(compromisedAt),
  };
}

function importPair(material: Readonly<Record<string, string | undefined>>, isPrivate: boolean) {
  const given = Object.entries(material).filter(([, value]) => value !== undefined);
  const whole: JsonWebKey = Object.fromEntries(given);
  const publicPart: JsonWebKey = Object.fromEntries(given.filter(([name]) => publicMembers.has(name)));
  try {
    return {
      publicKey: createPublicKey({ key: publicPart, format: "jwk" }),
      privateKey: isPrivate ? createPrivateKey({ key: whole, format: "jwk" }) : null,
    };
  } catch {
    // OpenSSL's reasons help nobody here, and must not carry key material into a message.
    return null;
  }
}

/** RFC 7518 §3.3 and §3.5; NIST SP 800-56B asks for an exponent above 2^16. */
function weaknesses(publicKey: KeyObject): string[] {
  const { modulusLength, publicExponent } = publicKey.asymmetricKeyDetails ?? {};
  if (publicKey.asymmetricKeyType !== "rsa") return [];
  const found: string[] = [];
  if (modulusLength === undefined || modulusLength < 2048) found.push("must have at least 2048 bits");
  if (publicExponent === undefined || publicExponent < 65_537n)
    found.push("has a public exponent below 65537");
  return found;
}

function isPair(privateKey: KeyObject, publicKey: KeyObject): boolean {
  const probe = Buffer.from("probe");
  try {
    return verify("sha256", probe, publicKey, sign("sha256", probe, privateKey));
  } catch {
    return false;
  }
}

function signatureBytesOf(publicKey: KeyObject): number {
  const { modulusLength } = publicKey.asymmetricKeyDetails ?? {};
  return modulusLength === undefined ? 64 : Math.ceil(modulusLength / 8);
}
