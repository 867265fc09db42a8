import { existsSync, readFileSync } from "node:fs";
import { expect } from "chai";
import { describe, it } from "mocha";
import { named, readStages } from "./dockerfile.ts";

describe("the Dockerfile", () => {
  const stages = readStages();
  const image = stages.at(-1);

  it("builds every stage on the same pinned Node", () => {
    expect(new Set(stages.map(({ base }) => base))).to.have.lengthOf(1);
    expect(stages[0]?.base).to.match(/^node:24\.\d+-/);
  });

  it("runs node directly, and not as root", () => {
    expect(image && named(image, "USER")).to.deep.equal(["node"]);
    expect(image && named(image, "CMD")).to.deep.equal(['["node", "dist/api/main.js"]']);
    expect(image && named(image, "HEALTHCHECK")[0]).to.match(/CMD \["node", "-e", /);
  });

  it("makes the folder of the secrets for the user that it runs as", () => {
    expect(image && named(image, "RUN")).to.deep.equal(["install -d -o node -g node -m 0700 /run/quash"]);
  });
});

for (const [file, ignoreFile] of [
  ["Dockerfile", ".dockerignore"],
  ["test/load/Dockerfile", "test/load/Dockerfile.dockerignore"],
] as const) {
  describe(file, () => {
    const stages = readStages(file);

    it("copies nothing that is ignored, and only what is there", () => {
      const ignore = readFileSync(new URL(`../../${ignoreFile}`, import.meta.url), "utf8").split("\n");
      const copied = stages
        .flatMap((stage) => named(stage, "COPY"))
        .filter((rest) => !rest.startsWith("--from"));
      const sources = copied.flatMap((rest) => rest.split(/\s+/).slice(0, -1));
      expect(sources.filter((source) => !ignore.includes(`!${source}`))).to.deep.equal([]);
      expect(
        sources.filter((source) => !existsSync(new URL(`../../${source}`, import.meta.url))),
      ).to.deep.equal([]);
    });

    it("stands on the Node that the product stands on", () => {
      expect(stages[0]?.base).to.equal(readStages()[0]?.base);
    });
  });
}
