import {
  constants,
  createHmac,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from "node:crypto";
import type { AccessTokenClaims } from "../../api/tokens/claims.ts";
import { type KeySet, parseKeys, type SigningAlgorithm } from "../../api/tokens/keys.ts";

export interface ForgeKey {
  readonly kid: string;
  readonly alg: SigningAlgorithm;
  readonly key: KeyObject;
}

/** Everything that stands in a token, each in its own hands: what is made here may be as wrong as one likes. */
export interface TokenForge {
  readonly keySet: KeySet;
  readonly rsa: ForgeKey;
  readonly ec: ForgeKey;
  /** Somebody else's, of the same kind as `rsa`. */
  readonly foreign: ForgeKey;
  /** Of a token that would be accepted. */
  claims(): AccessTokenClaims;
  header(key?: ForgeKey): Record<string, unknown>;
  /** A token that is accepted. */
  good(key?: ForgeKey): string;
  /** A genuine signature by `key`; text and bytes stand as they are. */
  signed(header: unknown, payload: unknown, key?: ForgeKey): string;
  /** The claims of a good token with some replaced; `undefined` leaves one out. */
  withClaims(claims: Record<string, unknown>): string;
  withHeader(header: Record<string, unknown>): string;
  /** A good token whose signature was changed. */
  withSignature(change: (signature: Buffer) => Uint8Array, key?: ForgeKey): string;
}

export const forgeSubject = "0b6f2f2e-5b0c-4e63-9d52-3f7f3c9d0a11";

/** A set of two keys, RS256 (which signs) and ES256, and who has them. */
export async function createTokenForge({ issuer, audience }: { issuer: string; audience: string }) {
  const [rsa, ec] = [createKey("RS256", "rsa-key"), createKey("ES256", "ec-key")];
  const keySet = await parseKeys(JSON.stringify({ keys: [rsa, ec].map(privateJwk) }));

  const claims = (): AccessTokenClaims => {
    const iat = Math.floor(Date.now() / 1_000) - 10;
    return {
      iss: issuer,
      aud: audience,
      sub: forgeSubject,
      client_id: "quash",
      iat,
      exp: iat + 900,
      jti: "7a0b8f0e-2f7d-4a53-8a43-1b2f0a6f4c55",
      sid: "c1d5a9f2-7c34-4c0e-9f3a-6a1e5d2b7f90",
      epoch: 3,
      roles: ["user"],
    };
  };
  const header = ({ alg, kid } = rsa) => ({ alg, typ: "at+jwt", kid });
  const signed = (head: unknown, payload: unknown, key = rsa) =>
    signText(key, `${encodePart(head)}.${encodePart(payload)}`);
  const good = (key = rsa) => signed(header(key), claims(), key);
  const forge: TokenForge = {
    keySet,
    rsa,
    ec,
    foreign: createKey("RS256", "their-key"),
    claims,
    header,
    good,
    signed,
    withClaims: (changed) => signed(header(), { ...claims(), ...changed }),
    withHeader: (changed) => signed({ ...header(), ...changed }, claims()),
    withSignature(change, key) {
      const { input, signature } = partsOf(good(key));
      return `${input}.${encodePart(change(Buffer.from(signature, "base64url")))}`;
    },
  };
  return forge;
}

export function encodePart(part: unknown): string {
  const isGiven = typeof part === "string" || part instanceof Uint8Array;
  return Buffer.from(isGiven ? part : JSON.stringify(part)).toString("base64url");
}

export function partsOf(token: string) {
  const [header = "", payload = "", signature = ""] = token.split(".");
  return { header, payload, signature, input: `${header}.${payload}` };
}

export function signText({ alg, key }: Pick<ForgeKey, "alg" | "key">, input: string): string {
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  const options = {
    key,
    ...(alg === "ES256" && { dsaEncoding: "ieee-p1363" as const }),
    ...(alg === "PS256" && pss),
  };
  return `${input}.${encodePart(sign("sha256", Buffer.from(input), options))}`;
}

export function hmacText(secret: string | Uint8Array, input: string): string {
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}

function createKey(alg: "RS256" | "ES256", kid: string): ForgeKey {
  const { privateKey } =
    alg === "RS256"
      ? generateKeyPairSync("rsa", { modulusLength: 2048 })
      : generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { kid, alg, key: createPrivateKey(privateKey.export({ type: "pkcs8", format: "pem" })) };
}

const privateJwk = ({ kid, alg, key }: ForgeKey) => ({ ...key.export({ format: "jwk" }), kid, alg });
