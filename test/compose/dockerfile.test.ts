import { readFileSync } from "node:fs";
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

  it("copies nothing that .dockerignore keeps out", () => {
    const ignore = readFileSync(new URL("../../.dockerignore", import.meta.url), "utf8").split("\n");
    const copied = stages
      .flatMap((stage) => named(stage, "COPY"))
      .filter((rest) => !rest.startsWith("--from"));
    const sources = copied.flatMap((rest) => rest.split(/\s+/).slice(0, -1));
    expect(sources.filter((source) => !ignore.includes(`!${source}`))).to.deep.equal([]);
  });

  it("makes the folder of the secrets for the user that it runs as", () => {
    expect(image && named(image, "RUN")).to.deep.equal(["install -d -o node -g node -m 0700 /run/quash"]);
  });
});
