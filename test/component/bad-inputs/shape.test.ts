import { expect } from "chai";
import { describe, it } from "mocha";
import { expectProblem } from "../../support/expect-problem.ts";
import { encodePart, partsOf, type TokenForge } from "../../support/token-forge.ts";
import { describeRows, type TokenRow, withDoor } from "./door.ts";

const json = (value: unknown) => JSON.stringify(value);
const headerOf = (forge: TokenForge, text: string | Uint8Array) => forge.signed(text, forge.claims());
const payloadOf = (forge: TokenForge, text: string | Uint8Array) => forge.signed(forge.header(), text);
/** A member put in front of the others, written as it is. */
const claimsWith = (forge: TokenForge, member: string) =>
  payloadOf(forge, json(forge.claims()).replace("{", `{${member},`));

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/** The part with bits set that base64url does not use: it still decodes to the same bytes. */
const withUnusedBits = (part: string) =>
  part.slice(0, -1) + (alphabet[alphabet.indexOf(part.slice(-1)) + 1] ?? "");

/** A payload whose last base64url character has unused bits. */
function unevenPayload(forge: TokenForge): string {
  const text = json(forge.claims());
  return text + " ".repeat(text.length % 3 === 0 ? 1 : 0);
}

const rows: TokenRow[] = [
  ["S1", "no dot at all", "token-malformed", () => "abc"],
  ["S2", "one part of a token", "token-malformed", (f) => partsOf(f.good()).header],
  ["S3", "two parts", "token-malformed", (f) => partsOf(f.good()).input],
  ["S4", "four parts", "token-malformed", (f) => `${f.good()}.AAAA`],
  [
    "S5",
    "the five parts of a JWE",
    "token-malformed",
    (f) => `${encodePart({ ...f.header(), enc: "A256GCM" })}.AA.AA.AA.AA`,
  ],
  ["S6", "six parts", "token-malformed", (f) => `${f.good()}.a.b.c`],
  ["S6", "two dots and nothing else", "token-malformed", () => ".."],
  ["S6", "8192 dots", "token-malformed", () => ".".repeat(8_192)],
  ["S6", "an empty payload", "token-malformed", (f) => f.good().replace(/\.[^.]*\./, "..")],
  ["S7", "a tab in front of it", "token-malformed", (f) => `\t${f.good()}`],
  ["S7", "a tab in it", "token-malformed", (f) => f.good().replace(".", "\t.")],
  ["S7", "a space in it", "auth-malformed", (f) => f.good().replace(".", " .")],
  ["S7", "spaces around it, which are HTTP's and not its own", "accepted", (f) => `  ${f.good()} \t `],
  ["S8", "padding behind the header", "token-malformed", (f) => f.good().replace(".", "=.")],
  ["S8", "padding behind the payload", "token-malformed", (f) => f.good().replace(/\.([^.]*)$/, "==.$1")],
  ["S8", "padding behind the signature", "token-malformed", (f) => `${f.good()}==`],
  ["S8", "+ and / of plain base64", "token-malformed", (f) => `${f.good().slice(0, -2)}+/`],
  ["S9", "unused bits in the header", "token-malformed", withUnusedHeaderBits],
  ["S9", "unused bits in the payload", "token-malformed", withUnusedPayloadBits],
  ["S9", "unused bits in the signature", "token-malformed", (f) => withUnusedBits(f.good())],
  ["S9", "a part of a length that base64url does not have", "token-malformed", (f) => `${f.good()}AAA`],
  [
    "S10",
    "flattened JSON serialisation",
    "token-malformed",
    (f) => json({ protected: partsOf(f.good()).header, payload: partsOf(f.good()).payload, signature: "AA" }),
  ],
  [
    "S10",
    "general JSON serialisation",
    "token-malformed",
    (f) => json({ payload: partsOf(f.good()).payload, signatures: [{ signature: "AA" }] }),
  ],
  ["S10", "a token as a JSON text", "token-malformed", (f) => json(f.good())],
  ["S11", "a header that is no base64", "token-malformed", (f) => `*${f.good()}`],
  ...["", " ", "x", "null", "[]", '"text"', "1", "true", "{", "{}{}", "\ufeff{}", "{'alg':'RS256'}"].flatMap(
    (text): TokenRow[] => [
      ["S11", `the header ${json(text)}`, "token-malformed", (f) => headerOf(f, text)],
      ["S12", `the payload ${json(text)}`, "token-malformed", (f) => payloadOf(f, text)],
    ],
  ),
  [
    "S11",
    "a header of a byte order mark and a good one",
    "token-malformed",
    (f) => headerOf(f, `\ufeff${json(f.header())}`),
  ],
  [
    "S11",
    "a header in UTF-16",
    "token-malformed",
    (f) => headerOf(f, Buffer.from(json(f.header()), "utf16le")),
  ],
  ["S12", "the payload {}", "claims-invalid", (f) => payloadOf(f, "{}")],
  [
    "S12",
    "a payload with a byte order mark",
    "token-malformed",
    (f) => payloadOf(f, `\ufeff${json(f.claims())}`),
  ],
  [
    "S12",
    "a payload with a comma at its end",
    "token-malformed",
    (f) => payloadOf(f, json(f.claims()).replace(/\}$/, ",}")),
  ],
  ["S12", "a payload with NaN", "token-malformed", (f) => claimsWith(f, '"more":NaN')],
  ["S13", "a lone continuation byte, signed", "token-malformed", (f) => badUtf8(f, [0x80])],
  ["S13", "an over-long encoding, signed", "token-malformed", (f) => badUtf8(f, [0xc0, 0xae])],
  ["S13", "half a surrogate pair in UTF-8, signed", "token-malformed", (f) => badUtf8(f, [0xed, 0xa0, 0x80])],
  ["S13", "a character that is cut off, signed", "token-malformed", (f) => badUtf8(f, [0xf0, 0x9f, 0x98])],
  [
    "S14",
    "arrays 2000 deep",
    "token-malformed",
    (f) => claimsWith(f, `"d":${"[".repeat(2_000)}${"]".repeat(2_000)}`),
  ],
  [
    "S14",
    "objects 900 deep",
    "token-malformed",
    (f) => claimsWith(f, `"d":${'{"":'.repeat(900)}1${"}".repeat(900)}`),
  ],
  ["S14", "a thousand members", "token-malformed", (f) => claimsWith(f, numbered(500))],
  [
    "S15",
    "alg twice, the first none",
    "token-malformed",
    (f) => headerOf(f, json(f.header()).replace("{", '{"alg":"none",')),
  ],
  [
    "S15",
    "kid twice, once escaped",
    "token-malformed",
    (f) => headerOf(f, json(f.header()).replace("{", '{"k\\u0069d":"x",')),
  ],
  ...["sub", "jti", "exp", "iss", "aud", "epoch", "roles"].map(
    (name): TokenRow => [
      "S16",
      `${name} twice, signed`,
      "claims-invalid",
      (f) => claimsWith(f, `"${name}":1`),
    ],
  ),
  ["S16", "sub twice, once escaped, signed", "claims-invalid", (f) => claimsWith(f, '"s\\u0075b":"u2"')],
  [
    "S16",
    "a member twice in an inner object, signed",
    "claims-invalid",
    (f) => claimsWith(f, '"act":{"a":1,"a":2}'),
  ],
  ["S17", "__proto__ as a claim", "accepted", (f) => claimsWith(f, '"__proto__":{"roles":["admin"]}')],
  [
    "S17",
    "constructor as a claim",
    "accepted",
    (f) => claimsWith(f, '"constructor":{"prototype":{"admin":true}}'),
  ],
  [
    "S17",
    "toString as a claim",
    "accepted",
    (f) => claimsWith(f, '"toString":1,"hasOwnProperty":1,"valueOf":null'),
  ],
  ...["sub", "client_id", "iss", "aud", "jti", "sid", "more"].flatMap((name): TokenRow[] =>
    ["\ud800", "\udc00a", "a\u0000", "a\r\nb", "a\u007f", "a\u0085"].map(
      (text): TokenRow => [
        "S18",
        `${json(text)} in ${name}`,
        "claims-invalid",
        (f) => f.withClaims({ [name]: text }),
      ],
    ),
  ),
  ["S18", "a line feed in a role", "claims-invalid", (f) => f.withClaims({ roles: ["user", "ad\nmin"] })],
];

function withUnusedHeaderBits(forge: TokenForge): string {
  const text = json(forge.header());
  const token = headerOf(forge, text + " ".repeat(text.length % 3 === 0 ? 1 : 0));
  const { header } = partsOf(token);
  return token.replace(header, withUnusedBits(header));
}

function withUnusedPayloadBits(forge: TokenForge): string {
  const token = payloadOf(forge, unevenPayload(forge));
  const { payload } = partsOf(token);
  return token.replace(payload, withUnusedBits(payload));
}

function badUtf8(forge: TokenForge, bytes: readonly number[]): string {
  const [before = "", after = ""] = json({ ...forge.claims(), more: "|" }).split("|");
  return payloadOf(forge, Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]));
}

const numbered = (count: number) => Array.from({ length: count }, (_, at) => `"m${at}":1`).join(",");

describe("bad inputs: the shape of a token", () => {
  describeRows(rows);

  describe("claims that are named after members of a prototype", () => {
    const door = withDoor();

    it("S17 give nobody a role, and change no object", async () => {
      const { forge, get } = door();
      const token = claimsWith(
        forge,
        '"__proto__":{"roles":["admin"]},"constructor":{"prototype":{"admin":true}}',
      );
      expectProblem(await get("/users", `Authorization: Bearer ${token}`), "forbidden");
      expect(Object.keys(Object.prototype)).to.deep.equal([]);
      expect({}).to.not.have.property("admin");
    });
  });
});
