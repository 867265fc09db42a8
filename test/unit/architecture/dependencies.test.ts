import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { describe, it } from "mocha";
import { isAcceptedLicense } from "../../dependencies/accepted-licenses.ts";
import { readLock } from "../../dependencies/read-lock.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..", "..", "..");
const note = readFileSync(join(root, "docs", "dependencies.md"), "utf8");
const packages = readLock();

/** Name, licence and reason. */
const rows = [...note.matchAll(/^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|$/gm)].map(
  ([, name = "", license = "", why = ""]) => ({ name, license, why }),
);

describe("the dependencies", () => {
  it("stand in docs/dependencies.md, each with its licence and why it is there", () => {
    const direct = packages.filter(({ isDirect }) => isDirect);
    expect(rows.map(({ name, license }) => `${name} ${license}`)).to.have.members(
      direct.map(({ name, license }) => `${name} ${license}`),
    );
    expect(rows.filter(({ why }) => why.trim().length < 4)).to.deep.equal([]);
  });

  it("stand there as what runs or as what builds and tests", () => {
    const running = note.split("## Of building and testing")[0] ?? "";
    for (const { name, isDev } of packages.filter(({ isDirect }) => isDirect)) {
      expect(running.includes(`| \`${name}\` |`), name).to.equal(!isDev);
    }
  });

  it("have accepted licences, all of the tree", () => {
    const refused = packages.filter(({ license }) => !isAcceptedLicense(license));
    expect(refused).to.deep.equal([]);
  });

  it("need no script when they are installed, and may run none", () => {
    const withScripts = packages.filter(({ hasInstallScript }) => hasInstallScript);
    expect(withScripts.filter(({ isDev }) => !isDev)).to.deep.equal([]);
    // Works without it: its binary is a package of its own.
    expect(new Set(withScripts.map(({ name }) => name))).to.deep.equal(new Set(["esbuild"]));
    expect(readFileSync(join(root, ".npmrc"), "utf8")).to.match(/^ignore-scripts=true$/m);
  });

  it("come with a bill of materials", async () => {
    const { stdout } = await run("npm", ["run", "--silent", "sbom"], { cwd: root, maxBuffer: 64 << 20 });
    const { bomFormat, components } = JSON.parse(stdout);
    expect(bomFormat).to.equal("CycloneDX");
    const names = components.map((component: { "bom-ref": string }) => component["bom-ref"]).join("\n");
    expect(names).to.include("koa@").and.include("kafkajs@").and.not.include("mocha@");
  });

  for (const [expression, isAccepted] of [
    ["MIT", true],
    ["(MIT OR GPL-3.0-only)", true],
    ["(MIT AND Zlib)", true],
    ["MIT AND GPL-3.0-only", false],
    ["SEE LICENSE IN LICENSE.txt", false],
    [undefined, false],
  ] as const) {
    it(`are ${isAccepted ? "accepted" : "refused"} under ${expression ?? "no licence"}`, () => {
      expect(isAcceptedLicense(expression)).to.equal(isAccepted);
    });
  }
});
