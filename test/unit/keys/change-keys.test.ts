import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { compromiseIn, retireIn, rotateIn } from "../../../api/keys/change-keys.ts";
import { generateJwks } from "../../../api/keys/generate-jwks.ts";
import { listKeys } from "../../../api/keys/list-keys.ts";
import { replaceFile } from "../../../api/keys/replace-file.ts";
import { createManualPlatform, type ManualPlatform } from "../../support/manual-clock.ts";

const publishedForMs = 600_000;
const dayMs = 86_400_000;

describe("changing the file of the signing keys", () => {
  let platform: ManualPlatform;
  let directory: string;
  let file: string;

  beforeEach(async () => {
    platform = createManualPlatform();
    directory = await mkdtemp(join(tmpdir(), "quash-keys-"));
    file = join(directory, "keys.json");
    await writeFile(file, await generateJwks("ES256"), { mode: 0o600 });
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const states = async () =>
    (await listKeys(await readFile(file, "utf8"), platform.clock)).map(({ state }) => state);
  const kids = async () =>
    (await listKeys(await readFile(file, "utf8"), platform.clock)).map(({ kid }) => kid);
  const rotateNow = (isForced = true) => rotateIn(file, { alg: undefined, isForced }, platform);
  const faultOf = (work: Promise<unknown>) => work.catch((error: unknown) => String(error));
  async function promoteAnother(): Promise<void> {
    await rotateNow();
    await rotateNow();
  }

  it("publishes a new key, and lets it sign ten minutes later", async () => {
    const [first] = await kids();
    await rotateNow(false);
    const [signer, next] = await kids();
    expect(signer).to.equal(first);
    expect(await states()).to.deep.equal(["signs", "verifies"]);
    expect(await faultOf(rotateNow(false))).to.include("less than ten minutes ago");
    await platform.advance(publishedForMs);
    await rotateNow(false);
    expect(await kids()).to.deep.equal([next, first]);
    expect(await readFile(file, "utf8")).not.to.include("published_at");
  });

  it("retires what has signed, takes out its private part, and forgets it after its last token", async () => {
    await promoteAnother();
    await rotateNow();
    await retireIn(file, undefined, platform);
    expect(await states()).to.deep.equal(["signs", "verifies", "retired"]);
    const { keys } = JSON.parse(await readFile(file, "utf8"));
    expect(keys.map((key: object) => "d" in key)).to.deep.equal([true, true, false]);
    await platform.advance(dayMs + publishedForMs);
    await rotateNow();
    expect(await states()).to.deep.equal(["signs", "verifies"]);
  });

  it("says that there is nothing to retire", async () => {
    await rotateNow();
    expect(await retireIn(file, undefined, platform)).to.include("nothing to retire");
    expect(await states()).to.deep.equal(["signs", "verifies"]);
  });

  it("does not retire the key that signs, nor one that is not there", async () => {
    const [signer = ""] = await kids();
    expect(await faultOf(retireIn(file, signer, platform))).to.include("rotate");
    expect(await faultOf(retireIn(file, "nobody", platform))).to.include("list");
  });

  it("puts the key that was published in the place of a compromised one, and names the receipt", async () => {
    await rotateNow();
    const [signer = "", next = ""] = await kids();
    const said = await compromiseIn(file, signer, platform);
    expect(await kids()).to.deep.equal([next, signer]);
    expect(await states()).to.deep.equal(["signs", "compromised"]);
    expect(said).to.match(/GET \/revocations\/[0-9a-f-]{36} /);
    expect(await faultOf(compromiseIn(file, signer, platform))).to.include("already");
  });

  it("makes a new key in the place of a compromised one where there is no other", async () => {
    const [signer = ""] = await kids();
    await compromiseIn(file, signer, platform);
    expect(await states()).to.deep.equal(["signs", "compromised"]);
  });

  it("marks a retired key as compromised, too", async () => {
    await promoteAnother();
    await retireIn(file, undefined, platform);
    const [, old = ""] = await kids();
    await compromiseIn(file, old, platform);
    expect(await states()).to.deep.equal(["signs", "compromised"]);
  });

  it("keeps what nobody here knows of, and leaves no draft behind", async () => {
    const { keys } = JSON.parse(await readFile(file, "utf8"));
    await writeFile(file, JSON.stringify({ keys: [{ ...keys[0], "acme:owner": "team a" }] }));
    await rotateNow();
    expect(await readFile(file, "utf8")).to.include("team a");
    expect(await readdir(directory)).to.deep.equal(["keys.json"]);
  });

  for (const [given, kept] of [
    [0o600, 0o600],
    [0o640, 0o640],
    [0o666, 0o640],
  ] as const) {
    it(`turns mode ${given.toString(8)} into ${kept.toString(8)}`, async () => {
      await chmod(file, given);
      await rotateNow();
      expect((await stat(file)).mode & 0o777).to.equal(kept);
    });
  }

  it("writes through a symbolic link", async () => {
    const link = join(directory, "link.json");
    await symlink(file, link);
    await rotateIn(link, { alg: "RS256", isForced: false }, platform);
    expect(await states()).to.deep.equal(["signs", "verifies"]);
  });

  it("writes nothing over what somebody else has written meanwhile", async () => {
    const from = await readFile(file, "utf8");
    await rotateNow();
    const theirs = await readFile(file, "utf8");
    expect(await faultOf(replaceFile(file, { from, to: "mine" }, platform.ids))).to.include("somebody else");
    expect(await readFile(file, "utf8")).to.equal(theirs);
  });

  it("touches no file that an instance would refuse", async () => {
    await writeFile(file, "{}");
    expect(await faultOf(rotateNow())).to.include("not a JWK Set");
    expect(await readFile(file, "utf8")).to.equal("{}");
  });
});
