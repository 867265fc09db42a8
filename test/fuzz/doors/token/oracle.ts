import { createPublicKey, verify } from "node:crypto";
import { inspectJson } from "../../../../shared/json-shape.ts";
import type { ForgeKey, TokenForge } from "../../../support/token-forge.ts";
import type { TokenRequest } from "./draft.ts";
import type { MutationContext } from "./mutation.ts";

/** `doubtful`: well-formed, but so near a bound, or so much of it, that either answer is right. */
export type Verdict = "good" | "doubtful" | "bad";

const longestLifetimeSeconds = 86_400;
const toleranceSeconds = 5;
/** What may pass between this judgement and the API's. */
const judgementSeconds = 12;
/** Less than anything that is refused for its size. */
const surelySmall = { token: 4_000, members: 20, marks: 100, header: 900 };

export function createOracle(
  forge: TokenForge,
  { cutOff, revokedJti }: Pick<MutationContext, "cutOff" | "revokedJti">,
) {
  const ours = [forge.rsa, forge.ec].map((one) => ({ ...one, key: createPublicKey(one.key) }));

  /** One credential, in the header, and it is a token that this service would have issued. */
  return function judge({ query, authorization }: TokenRequest): Verdict {
    const [header = "", ...more] = authorization;
    const token = /^[ \t]*bearer +([^ \t]+)[ \t]*$/i.exec(header)?.[1];
    if (more.length > 0 || token === undefined || new URLSearchParams(query).has("access_token"))
      return "bad";
    // Any other parameter is one that the route does not have.
    if (query !== "") return "bad";
    return judgeToken(token);
  };

  function judgeToken(token: string): Verdict {
    const parts = token.split(".");
    const [header, claims] = parts.map(objectIn);
    if (parts.length !== 3 || token.length > 8_192 || !header || !claims || !parts.every(isCanonical))
      return "bad";
    const key = ours.find(({ kid }) => kid === header.members["kid"]);
    if (key === undefined || !isHeaderOf(header.members, key) || !isSignedBy(token, key)) return "bad";
    if (!isWellFormed(claims.members) || hasHiddenCharacter(claims.members) || isRevoked(claims.members))
      return "bad";
    const time = judgeTimes(claims.members);
    const isSmall =
      token.length < surelySmall.token &&
      header.text.length < surelySmall.header &&
      (claims.text.match(/[[\]{}:,]/g) ?? []).length < surelySmall.marks &&
      Object.keys(claims.members).length < surelySmall.members;
    return time === "good" && !isSmall ? "doubtful" : time;
  }

  function isWellFormed(claims: Readonly<Record<string, unknown>>): boolean {
    const { iss, aud } = forge.claims();
    const { roles, scope, epoch, iat, exp, nbf } = claims;
    return (
      claims["iss"] === iss &&
      claims["aud"] === aud &&
      isText(claims["sub"], 256) &&
      isText(claims["client_id"], 256) &&
      isUuid(claims["jti"]) &&
      isUuid(claims["sid"]) &&
      [epoch, iat, exp, nbf ?? 1].every(Number.isSafeInteger) &&
      !("nbf" in claims && nbf === null) &&
      Number(epoch) >= 0 &&
      Array.isArray(roles) &&
      roles.length <= 32 &&
      roles.every((role) => isText(role, 64)) &&
      (!("scope" in claims) || isText(scope, 1_024))
    );
  }

  function isRevoked({ sub, epoch, jti }: Readonly<Record<string, unknown>>): boolean {
    return jti === revokedJti || (sub === cutOff.sub && Number(epoch) < cutOff.epoch);
  }
}

function judgeTimes({ iat, exp, nbf = 0 }: Readonly<Record<string, unknown>>): Verdict {
  const [from, until, notBefore] = [Number(iat), Number(exp), Number(nbf)];
  const now = Date.now() / 1_000;
  if (from < 0 || until <= from || until > from + longestLifetimeSeconds) return "bad";
  const start = Math.max(from, notBefore) - toleranceSeconds;
  const end = until + toleranceSeconds;
  if (now > end + judgementSeconds || now < start - judgementSeconds) return "bad";
  return now < end - judgementSeconds && now > start + 1 ? "good" : "doubtful";
}

function objectIn(part: string): { text: string; members: Readonly<Record<string, unknown>> } | null {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      Buffer.from(part, "base64url"),
    );
    const members: unknown = JSON.parse(text);
    if (typeof members !== "object" || members === null || Array.isArray(members)) return null;
    const { depth, repeatedMember } = inspectJson(text);
    return depth > 16 || repeatedMember !== null
      ? null
      : { text, members: Object.fromEntries(Object.entries(members)) };
  } catch {
    // Whatever cannot be read is no token.
    return null;
  }
}

const isCanonical = (part: string) => Buffer.from(part, "base64url").toString("base64url") === part;
const isText = (value: unknown, length: number) =>
  typeof value === "string" && value !== "" && value.length <= length;
const isUuid = (value: unknown) =>
  typeof value === "string" &&
  /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value) &&
  value.length === 36;

function isHeaderOf(header: Readonly<Record<string, unknown>>, { alg }: ForgeKey): boolean {
  return Object.keys(header).length === 3 && header["alg"] === alg && header["typ"] === "at+jwt";
}

function isSignedBy(token: string, { alg, key }: Pick<ForgeKey, "alg" | "key">): boolean {
  const end = token.lastIndexOf(".");
  const signature = Buffer.from(token.slice(end + 1), "base64url");
  const options = {
    key,
    ...(alg === "ES256" && { dsaEncoding: "ieee-p1363" as const }),
  };
  return verify("sha256", Buffer.from(token.slice(0, end)), options, signature);
}

function hasHiddenCharacter(value: unknown): boolean {
  if (typeof value === "string") return /[\p{Cc}\p{Cs}]/u.test(value);
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some((entry) => entry.some(hasHiddenCharacter));
}
