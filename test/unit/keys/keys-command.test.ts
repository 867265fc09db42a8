import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { firstStart } from "../../../api/keys/first-start.ts";
import { generateJwks } from "../../../api/keys/generate-jwks.ts";
import { writeNewFile } from "../../../api/keys/write-new-file.ts";
import { algorithms, parseKeys } from "../../../api/tokens/keys.ts";
import { createManualPlatform } from "../../support/manual-clock.ts";

const run = promisify(execFile);
const keys = (...args: string[]) => run(process.execPath, ["--import", "tsx", "api/keys/main.ts", ...args]);

describe("keys command", () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "quash-keys-"));
  });

  afterEach(() => rm(directory, { recursive: true, force: true }));

  for (const alg of algorithms) {
    it(`generates a set that signs with ${alg}`, async () => {
      const set = await parseKeys(await generateJwks(alg));
      expect(set.signing.alg).to.equal(alg);
      expect(set.signing.kid).to.match(/^[A-Za-z0-9_-]{43}$/);
    });
  }

  it("prints a set on standard output", async () => {
    const { stdout } = await keys("generate", "--alg", "ES256");
    expect((await parseKeys(stdout)).signing.alg).to.equal("ES256");
  });

  it("writes a file for its owner only, and never over another", async () => {
    const file = join(directory, "keys.json");
    await keys("generate", "--out", file);
    const written = await readFile(file, "utf8");
    expect((await stat(file)).mode & 0o777).to.equal(0o600);
    const again: unknown = await keys("generate", "--out", file).catch((error: unknown) => error);
    expect(again).to.include({ code: 1 });
    expect(await readFile(file, "utf8")).to.equal(written);
    expect(await readdir(directory)).to.deep.equal(["keys.json"]);
  });

  it("marks a key whose name begins with a hyphen, wherever it stands among the options", async () => {
    const file = join(directory, "keys.json");
    const withName = async (name: string) => {
      const set: unknown = JSON.parse(await generateJwks("ES256"));
      await writeFile(file, JSON.stringify(set).replace(/"kid":"[^"]*"/, `"kid":"${name}"`));
    };
    const list = async () => (await keys("list", "--file", file, "--json")).stdout;
    for (const command of [
      (name: string) => ["compromise", name, "--file", file],
      (name: string) => ["compromise", "--file", file, name],
    ]) {
      await withName("-xNgac8d");
      await keys(...command("-xNgac8d"));
      expect(await list()).to.match(/^\{(?=.*"kid":"-xNgac8d").*"state":"compromised"/m);
    }
    const mistyped: unknown = await keys("compromise", "-xNgac8d", "--fille", file).catch((e: unknown) => e);
    expect(mistyped).to.include({ code: 1 });
  });

  it("lists, rotates and marks the keys of SIGNING_KEYS_FILE, and shows no key material", async () => {
    const file = join(directory, "keys.json");
    await writeFile(file, await generateJwks("ES256"));
    const rotated = await keys("rotate", "--file", file);
    expect(rotated.stderr).to.include("published").and.include("run this again");
    const { stdout } = await keys("list", "--file", file, "--json");
    const listed = stdout
      .trim()
      .split("\n")
      .map((line): Record<string, unknown> => JSON.parse(line));
    expect(listed.map(({ state }) => state)).to.deep.equal(["signs", "verifies"]);
    expect(stdout).not.to.include('"d"');
    const refused: unknown = await keys("compromise", "nobody", "--file", file).catch((e: unknown) => e);
    expect(refused).to.include({ code: 1 }).and.have.property("stderr").that.includes("nobody");
    expect(refused).to.have.property("stderr").that.does.not.include("    at ");
  });

  it("names the algorithms when asked for another", async () => {
    const outcome: unknown = await keys("generate", "--alg", "HS256").catch((error: unknown) => error);
    expect(outcome).to.have.property("stderr").that.includes("RS256, ES256, PS256");
  });

  it("prepares the first start, and prints the same password each time", async () => {
    const first = await keys("first-start", "--dir", join(directory, "secrets"));
    const second = await keys("first-start", "--dir", join(directory, "secrets"));
    expect(first.stdout).to.match(/^administrator {2}admin@example\.com {2}[A-Za-z0-9_-]{24}\n$/);
    expect(second.stdout).to.equal(first.stdout);
    await parseKeys(await readFile(join(directory, "secrets", "signing-keys.json"), "utf8"));
  });

  it("lets two first starts at once agree on one password and one set", async () => {
    const start = (seed: string) => firstStart(directory, createManualPlatform(0, seed));
    const [one, two] = await Promise.all([start("a"), start("b")]);
    expect(one).to.equal(two);
    expect((await readdir(directory)).toSorted((a, b) => a.localeCompare(b))).to.deep.equal([
      "admin-password",
      "signing-keys.json",
    ]);
  });

  it("leaves the first of two writers' text, whole", async () => {
    const file = join(directory, "secret");
    const { ids } = createManualPlatform();
    const written = await Promise.all(["one", "two"].map((text) => writeNewFile(file, text, ids)));
    expect(written.filter(Boolean)).to.have.length(1);
    expect(await readFile(file, "utf8")).to.equal(written[0] ? "one" : "two");
  });
});
