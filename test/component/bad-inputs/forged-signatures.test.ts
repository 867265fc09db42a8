import {
  constants,
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  privateEncrypt,
  sign,
} from "node:crypto";
import { describe } from "mocha";
import { encodePart, type ForgeKey, partsOf, type TokenForge } from "../../support/token-forge.ts";
import { describeRows, type TokenRow } from "./door.ts";

/** Of P-256 (FIPS 186-4 D.1.2.3), and of its field. */
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const field = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;

const bytesOf = (value: bigint, length = 32) =>
  Buffer.from(value.toString(16).padStart(length * 2, "0"), "hex");
const numberIn = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
const pair = (r: bigint, s: bigint) => Buffer.concat([bytesOf(r), bytesOf(s)]);
const inputOf = (forge: TokenForge, key: ForgeKey) => partsOf(forge.good(key)).input;
const withEc = (what: string, change: (signature: Buffer, forge: TokenForge) => Uint8Array): TokenRow => [
  what.includes("DER") || what.includes("long") ? "G22" : "G21",
  `ES256: ${what}`,
  "signature-invalid",
  (forge) => forge.withSignature((signature) => change(signature, forge), forge.ec),
];

/** CVE-2022-21449 and what Wycheproof's ECDSA vectors try beside it. */
const edges: Record<string, bigint> = {
  0: 0n,
  1: 1n,
  "n-1": order - 1n,
  n: order,
  "n+1": order + 1n,
  p: field,
};
const psychic = Object.entries(edges).flatMap(([rName, r]) =>
  Object.entries(edges).map(([sName, s]) => withEc(`r = ${rName}, s = ${sName}`, () => pair(r, s))),
);

const malformed: TokenRow[] = [
  withEc("a DER encoding", (_s, f) => sign("sha256", Buffer.from(inputOf(f, f.ec)), f.ec.key)),
  withEc("a DER encoding cut to 64 bytes", (_s, f) =>
    sign("sha256", Buffer.from(inputOf(f, f.ec)), f.ec.key).subarray(0, 64),
  ),
  withEc("over-long r and s", (s) =>
    Buffer.concat([Buffer.alloc(1), s.subarray(0, 32), Buffer.alloc(1), s.subarray(32)]),
  ),
  withEc("r and s long as of P-384", (s) =>
    Buffer.concat([Buffer.alloc(16), s.subarray(0, 32), Buffer.alloc(16), s.subarray(32)]),
  ),
  withEc("r and s changed for each other", (s) => Buffer.concat([s.subarray(32), s.subarray(0, 32)])),
  withEc("r alone", (s) => s.subarray(0, 32)),
  withEc("s = 0 beside a genuine r", (s) => Buffer.concat([s.subarray(0, 32), Buffer.alloc(32)])),
  withEc("-r modulo n", (s) => Buffer.concat([bytesOf(order - numberIn(s.subarray(0, 32))), s.subarray(32)])),
  withEc("over another hash", (_s, f) => rawEc(f.ec, "sha384", inputOf(f, f.ec))),
  withEc("over the payload alone", (_s, f) => rawEc(f.ec, "sha256", partsOf(f.good(f.ec)).payload)),
  withEc("over the decoded claims", (_s, f) => rawEc(f.ec, "sha256", JSON.stringify(f.claims()))),
  withEc("another EC key's", (_s, f) => rawEc(anotherEc(), "sha256", inputOf(f, f.ec))),
];

function rawEc({ key }: Pick<ForgeKey, "key">, hash: string, input: string): Buffer {
  return sign(hash, Buffer.from(input), { key, dsaEncoding: "ieee-p1363" });
}

function anotherEc(): Pick<ForgeKey, "key"> {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { key: createPrivateKey(privateKey.export({ format: "pem", type: "pkcs8" })) };
}

const sha256Prefix = Buffer.from("3031300d060960864801650304020105000420", "hex");
const sha256PrefixWithoutNull = Buffer.from("302f300b06096086480165030402010420", "hex");
const sha1Prefix = Buffer.from("3021300906052b0e03021a05000414", "hex");
const longFormPrefix = Buffer.from("308131300d060960864801650304020105000420", "hex");
const digest = (input: string, hash = "sha256") => createHash(hash).update(input).digest();

/** EMSA-PKCS1-v1_5 (RFC 8017 §9.2) with any of its parts wrong: what an implementation that parses would take. */
interface Padding {
  readonly blockType?: number;
  readonly filler?: number;
  readonly separator?: number;
  readonly fillers?: number;
  readonly info: Buffer;
  readonly after?: Buffer;
}

function encoded({
  blockType = 1,
  filler = 0xff,
  separator = 0,
  info,
  after = Buffer.alloc(0),
  fillers,
}: Padding): Buffer {
  const padding = Buffer.alloc(fillers ?? 256 - 3 - info.length - after.length, filler);
  const block = Buffer.concat([Buffer.from([0, blockType]), padding, Buffer.from([separator]), info, after]);
  return Buffer.concat([block, Buffer.alloc(256 - block.length, 0x5a)]);
}

const withRsa = (what: string, block: (input: string, hash: Buffer) => Buffer): TokenRow => [
  "G49",
  `RS256, as in Wycheproof: ${what}`,
  "signature-invalid",
  (forge) => {
    const input = inputOf(forge, forge.rsa);
    const padding = constants.RSA_NO_PADDING;
    return `${input}.${encodePart(privateEncrypt({ key: forge.rsa.key, padding }, block(input, digest(input))))}`;
  },
];

const paddings: TokenRow[] = [
  withRsa("block type 0", (_i, h) => encoded({ blockType: 0, info: Buffer.concat([sha256Prefix, h]) })),
  withRsa("block type 2", (_i, h) => encoded({ blockType: 2, info: Buffer.concat([sha256Prefix, h]) })),
  withRsa("filled with other bytes", (_i, h) =>
    encoded({ filler: 0xfe, info: Buffer.concat([sha256Prefix, h]) }),
  ),
  withRsa("no separator", (_i, h) => encoded({ separator: 0xff, info: Buffer.concat([sha256Prefix, h]) })),
  withRsa("eight bytes of padding and then anything (Bleichenbacher 2006)", (_i, h) =>
    encoded({ fillers: 8, info: Buffer.concat([sha256Prefix, h]) }),
  ),
  withRsa("no padding at all", (_i, h) => encoded({ fillers: 0, info: Buffer.concat([sha256Prefix, h]) })),
  withRsa("a byte after the hash", (_i, h) =>
    encoded({ info: Buffer.concat([sha256Prefix, h]), after: Buffer.from([0]) }),
  ),
  withRsa("no NULL in the DigestInfo", (_i, h) =>
    encoded({ info: Buffer.concat([sha256PrefixWithoutNull, h]) }),
  ),
  withRsa("a length in the long form", (_i, h) => encoded({ info: Buffer.concat([longFormPrefix, h]) })),
  withRsa("the hash without a DigestInfo", (_i, h) => encoded({ info: h })),
  withRsa("a hash that is cut short", (_i, h) =>
    encoded({ info: Buffer.concat([sha256Prefix, h.subarray(0, 31)]) }),
  ),
  withRsa("SHA-1", (input) => encoded({ info: Buffer.concat([sha1Prefix, digest(input, "sha1")]) })),
  withRsa("SHA-1 under the name of SHA-256", (input) =>
    encoded({ info: Buffer.concat([sha256Prefix, digest(input, "sha1")]) }),
  ),
  withRsa("the hash of nothing", () => encoded({ info: Buffer.concat([sha256Prefix, digest("")]) })),
  withRsa("the hash of the payload alone", (input) =>
    encoded({ info: Buffer.concat([sha256Prefix, digest(input.split(".")[1] ?? "")]) }),
  ),
  withRsa("the hash with a dot at the end", (input) =>
    encoded({ info: Buffer.concat([sha256Prefix, digest(`${input}.`)]) }),
  ),
  withRsa("the hash in upper case", (input) =>
    encoded({ info: Buffer.concat([sha256Prefix, digest(input.toUpperCase())]) }),
  ),
];

const modulus = ({ key }: ForgeKey) =>
  numberIn(Buffer.from(String(key.export({ format: "jwk" }).n), "base64url"));
const withNumber = (what: string, number: (n: bigint, s: bigint) => bigint): TokenRow => [
  "G49",
  `RS256, as in Wycheproof: the signature ${what}`,
  "signature-invalid",
  (forge) => forge.withSignature((s) => bytesOf(number(modulus(forge.rsa), numberIn(s)), 256).subarray(-257)),
];

const numbers: TokenRow[] = [
  withNumber("0", () => 0n),
  withNumber("1", () => 1n),
  withNumber("2", () => 2n),
  withNumber("n - 1", (n) => n - 1n),
  withNumber("n", (n) => n),
  withNumber("s + n, the same modulo n", (n, s) => s + n),
  withNumber("n - s", (n, s) => n - s),
  withNumber("2^2048 - 1", () => 2n ** 2048n - 1n),
];

const others: TokenRow[] = [
  [
    "G49",
    "RS256: a PSS signature",
    "signature-invalid",
    (f) => f.signed(f.header(), f.claims(), { ...f.rsa, alg: "PS256" }),
  ],
  [
    "G49",
    "ES256: s replaced by n - s, which is as good by ECDSA, and the same token",
    "accepted",
    (f) =>
      f.withSignature(
        (s) => Buffer.concat([s.subarray(0, 32), bytesOf(order - numberIn(s.subarray(32)))]),
        f.ec,
      ),
  ],
];

describe("bad inputs: forged signatures", () => {
  describeRows([...psychic, ...malformed, ...paddings, ...numbers, ...others]);
});
