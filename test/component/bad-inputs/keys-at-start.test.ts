import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { after, before, describe, it } from "mocha";
import { startNode } from "../../support/node-process.ts";

type Jwk = Record<string, unknown>;

const rsa = (modulusLength = 2_048, publicExponent = 65_537): Jwk => ({
  ...generateKeyPairSync("rsa", { modulusLength, publicExponent }).privateKey.export({ format: "jwk" }),
});
const publicOf = ({ kty, n, e }: Jwk): Jwk => ({ kty, n, e });
const good = rsa();
const other = rsa();

/** What stands in the file, in this order, and what is said about it. */
const bad: [row: string, what: string, key: Jwk, problem: RegExp][] = [
  ["F", "a first key that is public", publicOf(good), /private part/],
  [
    "G17",
    "a common secret",
    { kty: "oct", k: Buffer.from("secret").toString("base64url"), alg: "HS256" },
    /symmetric/,
  ],
  ["G17", "a long secret", { kty: "oct", k: "A".repeat(86), alg: "HS512" }, /symmetric/],
  ["G30", "RSA of 1024 bits", rsa(1_024), /2048 bits/],
  ["G30", "a public exponent of 1", { ...publicOf(good), e: "AQ" }, /65537/],
  ["G30", "a public exponent of 3", rsa(2_048, 3), /65537/],
  ["G30", "a key on P-192", { kty: "EC", crv: "P-192", x: "AAAA", y: "AAAA" }, /P-256/],
  ["G30", "a key for encryption", { ...other, use: "enc" }, /use/],
  ["G30", "key_ops without verify", { ...publicOf(other), key_ops: ["sign"] }, /key_ops without verify/],
  ["F", "a private part of another key", { ...good, n: other["n"] }, /does not belong|cannot be imported/],
  ["F", "another algorithm", { ...other, alg: "none" }, /alg/],
];

describe("bad inputs: keys that the API is started with", () => {
  let code: number | string;
  let output: string;
  const folder = mkdtempSync(join(tmpdir(), "quash-keys-"));

  before(async function () {
    this.timeout(60_000);
    const SIGNING_KEYS_FILE = join(folder, "keys.json");
    writeFileSync(SIGNING_KEYS_FILE, JSON.stringify({ keys: bad.map(([, , key]) => key) }));
    const run = startNode(["api/main.ts"], {
      environment: {
        SIGNING_KEYS_FILE,
        MONGO_URL: "mongodb://127.0.0.1:1/",
        REDIS_URL: "redis://127.0.0.1:1",
        KAFKA_BROKERS: "127.0.0.1:1",
      },
    });
    code = await run.ended;
    output = run.output();
  });
  after(() => rmSync(folder, { recursive: true }));

  it("end it, all of them at once", () => {
    expect(code, output).to.equal(78);
  });

  for (const [at, [row, what, , problem]] of bad.entries()) {
    it(`${row} ${what}: is named with its reason`, () => {
      const lines = output.split(/\n|\\n/).filter((line) => line.includes(`key ${at + 1} `));
      expect(lines.join("\n"), output).to.match(problem);
    });
  }

  it("appear in no message", () => {
    for (const key of [good, other])
      for (const name of ["d", "p", "q"]) expect(output).not.to.include(String(key[name]).slice(0, 16));
  });
});
