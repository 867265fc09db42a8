import { readFileSync } from "node:fs";
import { expect } from "chai";
import { describe, it } from "mocha";
import { mutations } from "../../simulation/mutations.ts";

describe("simulation: mutations", () => {
  for (const { name, file, find, replace } of mutations) {
    it(`can make one change for: ${name}`, () => {
      expect(readFileSync(file, "utf8").split(find)).to.have.lengthOf(2);
      expect(replace).to.not.equal(find);
    });
  }

  it("have names of their own, and are at least twelve", () => {
    expect(new Set(mutations.map(({ name }) => name))).to.have.lengthOf(mutations.length);
    expect(mutations).to.have.length.of.at.least(12);
  });
});
