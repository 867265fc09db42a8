import { expect } from "chai";
import type { JWK } from "jose";
import { beforeEach, describe, it } from "mocha";
import { createKeyRing, type KeyRing } from "../../../api/tokens/key-ring.ts";
import { parseKeys } from "../../../api/tokens/keys.ts";
import { expectError } from "../../support/expect-error.ts";
import { freshJwk, type JwkMarks, type NamedJwk, publicOnly, setOf } from "../../support/jwks.ts";
import { createManualPlatform, type ManualPlatform } from "../../support/manual-clock.ts";

const longestLifetimeSeconds = 900;

describe("the keys of an instance", () => {
  let platform: ManualPlatform;
  let [one, two, three]: NamedJwk[] = [];

  beforeEach(async () => {
    platform = createManualPlatform();
    [one, two, three] = await Promise.all([freshJwk("one"), freshJwk("two"), freshJwk("three")]);
  });

  const now = () => new Date(platform.clock.wallMs()).toISOString();
  const ringOf = async (...keys: unknown[]): Promise<KeyRing> =>
    createKeyRing({
      keys: await parseKeys(setOf(...keys)),
      clock: platform.clock,
      longestLifetimeSeconds: () => longestLifetimeSeconds,
    });
  const marked = (jwk: JWK | undefined, marks: JwkMarks) => ({ ...jwk, ...marks });
  const published = (ring: KeyRing) => ring.publicJwks.keys.map((key) => Reflect.get(key, "kid"));

  it("sign with the first that bears no mark, and verify with the others", async () => {
    const ring = await ringOf(
      marked(one, { "quash:compromised_at": now() }),
      marked(publicOnly(two), { "quash:retired_at": now() }),
      three,
    );
    expect(ring.signing.kid).to.equal("three");
    expect(published(ring)).to.deep.equal(["two", "three"]);
    expect(["one", "two", "three"].filter((kid) => ring.find(kid))).to.deep.equal(["two", "three"]);
  });

  it("know a retired key until the last token that it can have signed has expired, by any clock allowed", async () => {
    const ring = await ringOf(one, marked(two, { "quash:retired_at": now() }));
    await platform.advance((longestLifetimeSeconds + 299) * 1_000);
    expect(ring.find("two")).to.include({ kid: "two" });
    await platform.advance(1_000);
    expect(ring.find("two")).to.equal(undefined);
    expect(published(ring)).to.deep.equal(["one"]);
    expect(ring.listed.map((key) => ring.stateOf(key))).to.deep.equal(["signs", "expired"]);
  });

  it("say what a new set changes, and nothing of one that changes nothing", async () => {
    const ring = await ringOf(one, two);
    expect(ring.replace(await parseKeys(setOf(one, two)))).to.equal(null);
    const next = setOf(three, marked(one, { "quash:retired_at": now() }));
    expect(ring.replace(await parseKeys(next))).to.deep.equal({
      signing: "three",
      added: ["three"],
      retired: ["one"],
      removed: ["two"],
      compromised: [],
    });
  });

  it("never trust a key again that was known to be compromised, under whatever name", async () => {
    const ring = await ringOf(one, two);
    const change = ring.replace(await parseKeys(setOf(marked(one, { "quash:compromised_at": now() }), two)));
    expect(change).to.deep.include({ compromised: ["one"], signing: "two" });
    ring.replace(await parseKeys(setOf({ ...one, kid: "renamed" }, two)));
    expect(ring.find("renamed")).to.equal(undefined);
    expect(ring.signing.kid).to.equal("two");
  });

  it("refuse a key by its thumbprint, and sign with the next one or not at all", async () => {
    const ring = await ringOf(one, two);
    const [first = "", second = ""] = ring.listed.map(({ thumbprint }) => thumbprint);
    expect(ring.refuse("of no key")).to.equal(null);
    expect(ring.refuse(first)).to.deep.include({ compromised: ["one"], signing: "two" });
    expect(ring.refuse(first)).to.equal(null);
    expect(ring.refuse(second)).to.deep.include({ signing: null });
    await expectError("no-signing-key", () => ring.signing);
  });

  it("take a key of the same name for another one", async () => {
    const ring = await ringOf(one);
    const change = ring.replace(await parseKeys(setOf({ ...two, kid: "one" })));
    expect(change).to.deep.include({ added: ["one"], removed: ["one"] });
  });
});
