import { encodePart, partsOf, type TokenForge } from "../../support/token-forge.ts";

/** What makes an API work before it refuses: the Authorization header, or none. */
type MakeHeader = (forge: TokenForge) => string | undefined;

/** As many characters as a token may have, but for the signature and a header. */
const payloadBytes = 5_700;
const filledTo = (length: number, entry: (at: number) => string) => {
  const entries: string[] = [];
  for (let size = 0, at = 0; size < length; at += 1) {
    const one = entry(at);
    entries.push(one);
    size += one.length + 1;
  }
  return entries.join(",");
};
const list = (count: number, entry: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => entry(at)).join(",");

const signed =
  (payload: string): MakeHeader =>
  (forge) =>
    `Bearer ${forge.signed(forge.header(), payload)}`;
const unsigned =
  (payload: string): MakeHeader =>
  (forge) =>
    `Bearer ${encodePart(forge.header())}.${encodePart(payload)}.${partsOf(forge.good()).signature}`;
const claims =
  (changed: Record<string, unknown>): MakeHeader =>
  (forge) =>
    `Bearer ${forge.withClaims(changed)}`;
const more =
  (text: string): MakeHeader =>
  (forge) =>
    `Bearer ${forge.signed(forge.header(), JSON.stringify({ ...forge.claims(), iss: "x" }).replace("{", `{"more":${text},`))}`;
const now = () => Math.floor(Date.now() / 1_000);

/** The cheap and the costliest that were found for each stage: header, shape, structure, signature, claims. */
export const refusals: Readonly<Record<string, MakeHeader>> = {
  "no token": () => undefined,
  "another scheme": () => "Basic YTpi",
  "7000 words": () => `Bearer ${"a ".repeat(7_000)}a`,
  "8192 dots": () => `Bearer ${".".repeat(8_192)}`,
  "8 KB of no base64url": () => `Bearer ${`${"a".repeat(2_700)}.`.repeat(3).slice(0, -1)}*`,
  "alg none": (forge) => `Bearer ${forge.withHeader({ alg: "none" })}`,
  "a header of 6 KB": (forge) => `Bearer ${forge.withHeader({ x5c: ["A".repeat(4_800)] })}`,
  "a header with 500 members": (forge) =>
    `Bearer ${forge.signed(`{${filledTo(4_000, (at) => `"${at}":1`)}}`, "{}")}`,
  "an unknown kid": (forge) => `Bearer ${forge.withHeader({ kid: "unknown" })}`,
  "750 members": unsigned(`{${filledTo(payloadBytes, (at) => `"${at.toString(36)}":1`)}}`),
  "64 members, each with an escaped name": unsigned(
    `{${list(64, (at) => `"\\u0041${"\\u0042".repeat(10)}${at}":1`)}}`,
  ),
  "2900 arrays in each other": unsigned(`{"a":${"[".repeat(2_800)}${"]".repeat(2_800)}}`),
  "560 numbers": unsigned(`{"a":[${list(560, (at) => `1.79e30${at % 10}`)}]}`),
  "560 texts": unsigned(`{"a":[${list(560, (at) => `"t${at}"`)}]}`),
  "180 objects": unsigned(`{"a":[${list(60, (at) => `{"m${at}":1}`)}]}`),
  "6 KB of escapes": unsigned(`{"a":"${"\\u00e9".repeat(940)}"}`),
  "6 KB of white space": unsigned(`{"a":${" ".repeat(payloadBytes)}1}`),
  "a wrong signature": (forge) => `Bearer ${forge.withSignature((signature) => signature.fill(7))}`,
  "a wrong signature under 6 KB of claims": unsigned(`{"a":"${"a".repeat(payloadBytes)}"}`),
  "another issuer, 6 KB of claims": more(`"${"a".repeat(5_000)}"`),
  "another issuer, 6 KB of escaped claims": more(`"${"\\u0041".repeat(830)}"`),
  "another audience of 500": claims({ aud: Array.from({ length: 500 }, (_, at) => `aud${at}`) }),
  expired: claims({ exp: now() - 100 }),
  "a jti that is no UUID": claims({ jti: 1 }),
  "every claim wrong": signed(
    JSON.stringify({
      iss: "https://issuer.test",
      aud: "quash",
      exp: 1e10,
      iat: "",
      jti: 1,
      sid: 1,
      epoch: "",
      roles: {},
      sub: 1,
      client_id: [],
    }),
  ),
};
