import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { describe, it } from "mocha";
import { namedTests } from "../../support/named-tests.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const read = (file: string) => readFileSync(join(root, file), "utf8");
const text = read("docs/threat-model.md");
const sections = text.split("\n## ").slice(1);

/** The cells of each row of the section's table, but for its head. */
function rowsOf(section: string): string[][] {
  const rows = section.split("\n").filter((line) => line.startsWith("|"));
  return rows.slice(2).map((row) =>
    row
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );
}

describe("the threat model", () => {
  it("has attacks, and the rows of the standards", () => {
    const counts = sections.map((section) => rowsOf(section).length);
    expect(counts[0]).to.be.above(20);
    expect(counts.slice(2).every((count) => count > 8)).to.equal(true);
  });

  for (const section of sections) {
    const title = section.slice(0, section.indexOf("\n"));
    for (const row of rowsOf(section)) {
      const heldBy = row.at(-1) ?? "";
      if (/^(open|not applicable): \S/.test(heldBy)) continue;
      it(`names tests that are there: ${title}, ${row.slice(0, 2).join(", ")}`, () => {
        const held = namedTests(heldBy);
        expect(held).to.have.length.above(0);
        for (const { file, titles } of held) {
          expect(file).to.match(/^test\/.+\.test\.ts$/);
          expect(titles, file).to.have.length.above(0);
          const source = read(file).replaceAll("\\", "");
          for (const each of titles) expect(source, file).to.include(each);
        }
      });
    }
  }
});

describe("the guide to integrating", () => {
  const guide = read("docs/integrating.md");

  it("names only files that exist", () => {
    const links = [...`${guide}${text}`.matchAll(/\]\(([^)#:]+)/g)].map(([, path = ""]) => path);
    expect(links).to.have.length.above(20);
    expect(links.filter((path) => !existsSync(join(root, "docs", path)))).to.deep.equal([]);
  });

  it("gives rights to every collection, and to no other", () => {
    const collections = readdirSync(join(root, "shared/mongo"))
      .map((name) => read(`shared/mongo/${name}`))
      .flatMap((source) => [...source.matchAll(/connection\.model<\w+>\("\w+", \w+, "(\w+)"\)/g)])
      .map(([, name = ""]) => name);
    const roles = guide.split("### MongoDB")[1]?.split("### Ports")[0] ?? "";
    const named = [...roles.matchAll(/"([a-z_]+)"/g)].map(([, name = ""]) => name);
    expect(collections).to.have.length.above(5);
    expect(collections.filter((name) => !named.includes(name))).to.deep.equal([]);
  });
});
