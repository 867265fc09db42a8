import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { expect } from "chai";
import { calculateJwkThumbprint, type JWK } from "jose";
import { before, describe, it } from "mocha";
import { parseKeys } from "../../../api/tokens/keys.ts";
import { expectError } from "../../support/expect-error.ts";

interface Material {
  readonly rsa: JWK;
  readonly otherRsa: JWK;
  readonly weakRsa: JWK;
  readonly smallExponent: JWK;
  readonly ec: JWK;
  readonly otherCurve: JWK;
}

const jwkOf = ({ privateKey }: { privateKey: KeyObject }): JWK => privateKey.export({ format: "jwk" });
const publicPart = ({ kty, n, e }: JWK): Record<string, unknown> => ({ kty, n, e });
const setOf = (...keys: unknown[]) => JSON.stringify({ keys });

describe("parseKeys", () => {
  let material: Material;

  before(() => {
    material = {
      rsa: jwkOf(generateKeyPairSync("rsa", { modulusLength: 2048 })),
      otherRsa: jwkOf(generateKeyPairSync("rsa", { modulusLength: 2048 })),
      weakRsa: jwkOf(generateKeyPairSync("rsa", { modulusLength: 1024 })),
      smallExponent: jwkOf(generateKeyPairSync("rsa", { modulusLength: 2048, publicExponent: 3 })),
      ec: jwkOf(generateKeyPairSync("ec", { namedCurve: "P-256" })),
      otherCurve: jwkOf(generateKeyPairSync("ec", { namedCurve: "P-384" })),
    };
  });

  it("signs with the first key and verifies with all", async () => {
    const keys = await parseKeys(
      setOf({ ...material.rsa, kid: "new" }, { ...publicPart(material.otherRsa), kid: "old" }),
    );
    expect(keys.signing).to.include({ kid: "new", alg: "RS256" });
    expect(keys.signing.key.type).to.equal("private");
    expect(keys.find("old")?.key.type).to.equal("public");
    expect(keys.find("__proto__")).to.equal(undefined);
  });

  it("names a key without kid by its thumbprint", async () => {
    const keys = await parseKeys(setOf(material.ec));
    expect(keys.signing).to.include({ kid: await calculateJwkThumbprint(material.ec), alg: "ES256" });
  });

  it("publishes no private member", async () => {
    const { publicJwks } = await parseKeys(setOf(material.rsa, material.ec));
    expect(publicJwks.keys.map((key) => Object.keys(key).toSorted())).to.deep.equal([
      ["alg", "e", "kid", "kty", "n", "use"],
      ["alg", "crv", "kid", "kty", "use", "x", "y"],
    ]);
  });

  const refused: readonly [string, RegExp, (m: Material) => string][] = [
    ["text that is not JSON", /not JSON/, (m) => setOf(m.rsa).slice(0, -1)],
    ["a bare key", /not a JWK Set/, (m) => JSON.stringify(m.rsa)],
    ["an empty set", /at least one key/, () => setOf()],
    [
      "a symmetric key, however weak or strong its secret (G17)",
      /symmetric/,
      () => setOf({ kty: "oct", k: "c2VjcmV0" }),
    ],
    ["RSA of 1024 bits (G30)", /2048 bits/, (m) => setOf(m.weakRsa)],
    ["a public exponent of 3", /65537/, (m) => setOf(m.smallExponent)],
    ["another curve (G30)", /P-256/, (m) => setOf(m.otherCurve)],
    ["P-192 (G30)", /P-256/, (m) => setOf({ ...m.ec, crv: "P-192" })],
    ["a first key without its private part", /private part/, (m) => setOf(publicPart(m.rsa), m.ec)],
    ["a private part of another key", /does not belong/, (m) => setOf({ ...m.rsa, n: m.otherRsa.n })],
    ["a key for encryption (G30)", /use/, (m) => setOf({ ...m.rsa, use: "enc" })],
    [
      "key_ops without sign, for a key that signs (G30)",
      /key_ops without sign/,
      (m) => setOf({ ...m.rsa, key_ops: ["verify"] }),
    ],
    [
      "key_ops without verify, for a public key (G30)",
      /key_ops without verify/,
      (m) => setOf(m.ec, { ...publicPart(m.rsa), key_ops: ["sign"] }),
    ],
    ["another algorithm", /alg/, (m) => setOf({ ...m.rsa, alg: "RS512" })],
    ["two keys of one kid", /kid of another/, (m) => setOf({ ...m.rsa, kid: "a" }, { ...m.ec, kid: "a" })],
    ["one key under two kids", /same key/, (m) => setOf({ ...m.rsa, kid: "a" }, { ...m.rsa, kid: "b" })],
    ["RSA with an exponent of 1 (G30)", /imported|65537/, (m) => setOf({ ...m.rsa, e: "AQ" })],
    ["more than 32 keys", /more than 32/, (m) => setOf(...Array.from({ length: 33 }, () => m.ec))],
    [
      "a time of retirement that is none",
      /RFC 3339/,
      (m) => setOf(m.rsa, { ...m.ec, "quash:retired_at": "yesterday" }),
    ],
    [
      "a set of which no key may sign",
      /no key that may sign/,
      (m) => setOf({ ...m.rsa, "quash:retired_at": "2026-01-15T12:00:00Z" }),
    ],
    [
      "a key that signs for want of another, without its private part",
      /key 2 signs/,
      (m) => setOf({ ...m.rsa, "quash:compromised_at": "2026-01-15T12:00:00Z" }, publicPart(m.otherRsa)),
    ],
    ["an empty kid", /kid of 1 to 128/, (m) => setOf({ ...m.rsa, kid: "" })],
    ["a modulus that is no base64url", /well-formed n/, (m) => setOf({ ...m.rsa, n: "+/" })],
    ["a point off the curve", /imported/, (m) => setOf({ ...m.ec, x: m.ec.y })],
  ];
  for (const [what, problem, text] of refused) {
    it(`refuses ${what}`, async () => {
      const error = await expectError("config-invalid", () => parseKeys(text(material)));
      expect(error.message).to.match(problem);
    });
  }

  it("tells all problems at once, without key material", async () => {
    const text = setOf(
      { ...material.rsa, use: "enc" },
      { ...material.otherRsa, alg: "RS512" },
      { kty: "oct" },
    );
    const error = await expectError("config-invalid", () => parseKeys(text));
    expect(error.message).to.match(/key 1 .*\n.*key 2 .*\n.*key 3 /);
    expect(`${error.message}${String(error.cause)}`).not.to.include(String(material.rsa.d).slice(0, 12));
  });
});
