import { expect } from "chai";
import { before, describe, it } from "mocha";
import { generateJwks } from "../../../api/keys/generate-jwks.ts";
import { type KeySet, parseKeys } from "../../../api/tokens/keys.ts";
import { createVerifyToken, type VerifyToken } from "../../../api/tokens/verify-token.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import { expectError } from "../../support/expect-error.ts";
import { createManualPlatform } from "../../support/manual-clock.ts";
import {
  audience,
  encode,
  goodClaims,
  goodHeader,
  hmacSigned,
  issuer,
  keysOf,
  nowSeconds,
  signed,
  signText,
  withClaims,
  withHeader,
} from "./token-builder.ts";

type Case = readonly [what: string, code: ErrorCode, token: (keys: KeySet) => string];

const bytes = (...values: (string | number[])[]) =>
  Buffer.concat(values.map((v) => (typeof v === "string" ? Buffer.from(v) : Buffer.from(v))));
const json = (value: unknown) => JSON.stringify(value);
const good = (keys: KeySet) => withClaims(keys, {});
const parts = (keys: KeySet) => {
  const [header = "", payload = "", signature = ""] = good(keys).split(".");
  return { header, payload, signature };
};
/** The last character of a part, with bits set that base64url does not use. */
const withUnusedBits = (part: string) => {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return part.slice(0, -1) + (alphabet[alphabet.indexOf(part.slice(-1)) + 1] ?? "");
};

const shape: Case[] = [
  ["nothing", "token-malformed", () => ""],
  ["one part", "token-malformed", (k) => parts(k).header],
  ["two parts", "token-malformed", (k) => `${parts(k).header}.${parts(k).payload}`],
  ["four parts", "token-malformed", (k) => `${good(k)}.AAAA`],
  [
    "the five parts of an encrypted token",
    "token-malformed",
    () => `${encode({ alg: "PBES2-HS256+A128KW" })}.a.b.c.d`,
  ],
  ["two dots", "token-malformed", () => ".."],
  ["a trailing space", "token-malformed", (k) => `${good(k)} `],
  ["a leading line feed", "token-malformed", (k) => `\n${good(k)}`],
  ["padding", "token-malformed", (k) => good(k).replace(".", "=.")],
  ["the alphabet of plain base64", "token-malformed", (k) => `${good(k).slice(0, -2)}+/`],
  ["set bits that base64url does not use", "token-malformed", (k) => withUnusedBits(good(k))],
  ["JSON serialisation", "token-malformed", (k) => json({ payload: parts(k).payload })],
  ["letters outside ASCII", "token-malformed", (k) => `é${good(k)}`],
  ["more than 8192 characters", "token-too-large", (k) => withClaims(k, { more: "a".repeat(7_000) })],
  ...["", "x", "null", "[]", '"text"', "1", "\ufeff{}"].flatMap((text): Case[] => [
    [`the header ${json(text)}`, "token-malformed", (k) => signed(k, text, goodClaims)],
    [`the payload ${json(text)}`, "token-malformed", (k) => signed(k, goodHeader(k), text)],
  ]),
  ["a payload without claims", "claims-invalid", (k) => signed(k, goodHeader(k), {})],
  [
    "a payload that is not UTF-8",
    "token-malformed",
    (k) => signed(k, goodHeader(k), bytes('{"a":"', [0xc3, 0x28], '"}')),
  ],
  ["a payload nested 2000 deep", "token-malformed", (k) => withClaims(k, { deep: nested(2000) })],
  [
    "a header member twice",
    "token-malformed",
    (k) => signed(k, `{"alg":"none",${json(goodHeader(k)).slice(1)}`, goodClaims),
  ],
  [
    "a claim twice",
    "claims-invalid",
    (k) => signed(k, goodHeader(k), `{"sub":"a",${json(goodClaims).slice(1)}`),
  ],
  [
    "a claim twice, once escaped",
    "claims-invalid",
    (k) => signed(k, goodHeader(k), `{"s\\u0075b":"a",${json(goodClaims).slice(1)}`),
  ],
];

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i += 1) value = [value];
  return value;
}

const algorithm: Case[] = [
  ...["none", "None", "NONE", "nOnE", "none ", ""].flatMap((alg): Case[] => [
    [`alg ${json(alg)} and a signature`, "algorithm-rejected", (k) => withHeader(k, { alg })],
    [
      `alg ${json(alg)} and no signature`,
      "algorithm-rejected",
      (k) => `${encode({ ...goodHeader(k), alg })}.${encode(goodClaims)}.`,
    ],
  ]),
  ...[undefined, null, ["RS256"], 256, "rs256", "XX256", "RS384", "RS512", "PS256", "ES256"].map(
    (alg): Case => [`alg ${json(alg)}`, "algorithm-rejected", (k) => withHeader(k, { alg })],
  ),
  [
    "HS256 keyed with the public key",
    "algorithm-rejected",
    (k) =>
      hmacSigned(String(k.find(k.signing.kid)?.key.export({ format: "pem", type: "spki" })), {
        ...goodHeader(k),
        alg: "HS256",
      }),
  ],
  ...[
    undefined,
    "",
    "unknown",
    "K1",
    1,
    { $ne: 1 },
    ["k"],
    "k".repeat(5000),
    "__proto__",
    "constructor",
    "/dev/null",
  ].map((kid): Case => [`kid ${json(kid)?.slice(0, 20)}`, "key-unknown", (k) => withHeader(k, { kid })]),
  ["no signature", "signature-invalid", (k) => `${parts(k).header}.${parts(k).payload}.`],
  ["a signature of zeros", "signature-invalid", (k) => withSignature(k, (s) => s.fill(0))],
  ["a signature cut short", "signature-invalid", (k) => withSignature(k, (s) => s.subarray(0, 255))],
  ["a signature made longer", "signature-invalid", (k) => withSignature(k, (s) => Buffer.concat([s, s]))],
  [
    "a signature with one bit flipped",
    "signature-invalid",
    (k) => withSignature(k, (s) => s.map((b, i) => (i === 9 ? b ^ 1 : b))),
  ],
  [
    "the signature of other claims",
    "signature-invalid",
    (k) => `${withClaims(k, { epoch: 4 }).replace(/[^.]*$/, "")}${parts(k).signature}`,
  ],
];

const withSignature = (keys: KeySet, change: (signature: Buffer) => Uint8Array) => {
  const { header, payload, signature } = parts(keys);
  return `${header}.${payload}.${encode(change(Buffer.from(signature, "base64url")))}`;
};

const header: Case[] = [
  ...Object.entries({
    jwk: { kty: "RSA" },
    jku: "https://evil.test/jwks",
    x5u: "https://evil.test/x5u",
    x5c: ["AAAA"],
    x5t: "AAAA",
    crit: ["exp"],
    b64: false,
    zip: "DEF",
    cty: "JWT",
    p2c: 2 ** 31,
  }).map(
    ([name, value]): Case => [
      `header member ${name}`,
      "header-rejected",
      (k) => withHeader(k, { [name]: value }),
    ],
  ),
  [
    "a header of more than 1024 bytes",
    "header-rejected",
    (k) => signed(k, json(goodHeader(k)).replace("{", `{${" ".repeat(1024)}`), goodClaims),
  ],
  ...[undefined, "JWT", "rt+jwt", "logout+jwt", "id+jwt", "AT+JWT", 1].map(
    (typ): Case => [`typ ${json(typ)}`, "token-type-rejected", (k) => withHeader(k, { typ })],
  ),
];

const malformedClaims: Record<string, readonly unknown[]> = {
  exp: [
    undefined,
    "1768479000",
    null,
    true,
    [1],
    {},
    2 ** 53 + 2,
    nowSeconds * 1000,
    nowSeconds + 900.5,
    nowSeconds + 90_000,
  ],
  iat: [undefined, "1768478390", null, -1, 0, 1.5, nowSeconds * 1000, nowSeconds + 891],
  nbf: ["1768478390", null],
  jti: [
    undefined,
    "",
    1,
    { $ne: null },
    "a".repeat(4096),
    "7a0b8f0e-2f7d-4a53-8a43-1b2f0a6f4c5\n",
    goodClaims.jti.toUpperCase(),
  ],
  sid: [undefined, "", "s1"],
  sub: [undefined, "", 1, ["a"], { $gt: "" }, null, "a".repeat(4096), "a\u0000", "a\r\nb", "\ud800"],
  client_id: [undefined, ""],
  epoch: [undefined, "3", -1, 1.5, 2 ** 53],
  roles: [undefined, "admin", { admin: true }, [{ name: "admin" }], [""]],
};

const claims: Case[] = [
  ...Object.entries(malformedClaims).flatMap(([name, values]) =>
    values.map(
      (value): Case => [
        `${name} ${json(value)?.slice(0, 30)}`,
        "claims-invalid",
        (k) => withClaims(k, { [name]: value }),
      ],
    ),
  ),
  [
    "exp 1e400",
    "claims-invalid",
    (k) => signed(k, goodHeader(k), json(goodClaims).replace(`${goodClaims.exp}`, "1e400")),
  ],
  ["exp 0", "token-expired", (k) => withClaims(k, { exp: 0 })],
  ["a negative exp", "token-expired", (k) => withClaims(k, { exp: -1 })],
  ["exp as long ago as the tolerance", "token-expired", (k) => withClaims(k, { exp: nowSeconds - 5 })],
  ["nbf beyond the tolerance", "token-not-yet-valid", (k) => withClaims(k, { nbf: nowSeconds + 6 })],
  ["iat beyond the tolerance", "token-not-yet-valid", (k) => withClaims(k, { iat: nowSeconds + 6 })],
  ...[undefined, "https://evil.test", `${issuer}/`, [issuer], "https://іssuer.test"].map(
    (iss): Case => [`iss ${json(iss)}`, "issuer-rejected", (k) => withClaims(k, { iss })],
  ),
  ...[undefined, "https://other.test", [], {}, 1, Array.from({ length: 500 }, () => "x")].map(
    (aud): Case => [`aud ${json(aud)?.slice(0, 30)}`, "audience-rejected", (k) => withClaims(k, { aud })],
  ),
];

const listOf = (length: number) => Array.from({ length }, (_, at) => at);
const beyond: Case[] = [
  [
    "a header with 17 members",
    "header-rejected",
    (k) => withHeader(k, Object.fromEntries(listOf(17).entries())),
  ],
  ["a header with a long list", "header-rejected", (k) => withHeader(k, { x5c: listOf(100) })],
  [
    "a payload with 65 members",
    "token-malformed",
    (k) => withClaims(k, Object.fromEntries(listOf(65).entries())),
  ],
  ["a payload with a list of 700", "token-malformed", (k) => withClaims(k, { more: listOf(700) })],
  ["a payload with a list of 300", "claims-invalid", (k) => withClaims(k, { more: listOf(300) })],
  [
    "several audiences, one of them ours",
    "audience-rejected",
    (k) => withClaims(k, { aud: [audience, "b"] }),
  ],
  ["33 roles", "claims-invalid", (k) => withClaims(k, { roles: listOf(33).map(String) })],
  ...[{}, ["read"], [{}], ""].map(
    (scope): Case => [`scope ${json(scope)}`, "claims-invalid", (k) => withClaims(k, { scope })],
  ),
  ...["\u0000", "a\r\nb", "\ud800", "\u0085"].flatMap((text): Case[] => [
    [`${json(text)} in a claim that nobody reads`, "claims-invalid", (k) => withClaims(k, { more: [text] })],
    [`${json(text)} in the name of one`, "claims-invalid", (k) => withClaims(k, { [text]: 1 })],
  ]),
];

describe("verifyToken", () => {
  let keys: KeySet;
  let verifyToken: VerifyToken;
  const { clock } = createManualPlatform(nowSeconds * 1000);
  const deps = { issuer, audience, clockToleranceSeconds: 5, clock };

  before(async () => {
    keys = await keysOf("RS256");
    verifyToken = createVerifyToken({ ...deps, keys });
  });

  for (const alg of ["RS256", "ES256", "PS256"] as const) {
    it(`accepts a good token signed with ${alg}`, async () => {
      const other = await keysOf(alg);
      expect(createVerifyToken({ ...deps, keys: other })(withClaims(other, {}))).to.deep.equal(goodClaims);
    });
  }

  for (const [what, code, token] of [...shape, ...algorithm, ...header, ...claims, ...beyond]) {
    it(`refuses ${what} as ${code}`, async () => {
      await expectError(code, () => verifyToken(token(keys)));
    });
  }

  it("drops claims that it does not know, and merges none of them", () => {
    const text = json(goodClaims).replace("{", '{"__proto__":{"admin":true},"constructor":1,"toString":1,');
    const verified = verifyToken(signed(keys, goodHeader(keys), text));
    expect(verified).to.deep.equal(goodClaims);
    expect(verified).not.to.have.property("admin");
  });

  it("accepts a scope, and leaves it out of the claims", () => {
    expect(verifyToken(withClaims(keys, { scope: "read write" }))).to.deep.equal(goodClaims);
  });

  it("accepts times that lie within the tolerance", () => {
    expect(verifyToken(withClaims(keys, { exp: nowSeconds - 4 })).exp).to.equal(nowSeconds - 4);
    expect(verifyToken(withClaims(keys, { iat: nowSeconds + 5 })).iat).to.equal(nowSeconds + 5);
  });

  it("refuses a lifetime above the longest", async () => {
    const strict = createVerifyToken({ ...deps, keys, tokenLifetimeSeconds: 899 });
    await expectError("claims-invalid", () => strict(withClaims(keys, {})));
  });

  it("refuses the token of another key under a known kid", async () => {
    const other = await parseKeys(await generateJwks("RS256"));
    const token = signText(other.signing.key, "RS256", `${encode(goodHeader(keys))}.${encode(goodClaims)}`);
    await expectError("signature-invalid", () => verifyToken(token));
  });

  for (const [what, signature] of Object.entries({
    "r = s = 0": new Uint8Array(64),
    "a DER encoding": Buffer.from(`3044${"02207f".repeat(11)}`, "hex"),
    "over-long values": new Uint8Array(72).fill(1),
  })) {
    it(`refuses an ES256 signature of ${what}`, async () => {
      const other = await keysOf("ES256");
      const token = `${encode(goodHeader(other))}.${encode(goodClaims)}.${encode(signature)}`;
      await expectError("signature-invalid", () => createVerifyToken({ ...deps, keys: other })(token));
    });
  }

  it("refuses the algorithm of another key of the set", async () => {
    const sets = await Promise.all([generateJwks("RS256"), generateJwks("ES256")]);
    const both = await parseKeys(
      JSON.stringify({ keys: sets.flatMap((set): unknown => JSON.parse(set).keys) }),
    );
    const token = signed(both, { ...goodHeader(both), alg: "ES256" }, goodClaims);
    await expectError("algorithm-rejected", () => createVerifyToken({ ...deps, keys: both })(token));
  });

  it("puts nothing of the token into the error", async () => {
    const error = await expectError("token-malformed", () =>
      verifyToken(`${encode('{"canary-7f3a')}.e30.AA`),
    );
    expect(`${error.message} ${String(error.cause)}`).not.to.include("canary");
  });
});
