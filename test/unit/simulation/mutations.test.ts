import { readFileSync } from "node:fs";
import { expect } from "chai";
import { describe, it } from "mocha";
import { mutations } from "../../simulation/mutations.ts";
import { editsOf } from "../../support/mutated-copy.ts";

describe("simulation: mutations", () => {
  for (const mutation of mutations) {
    it(`can be made: ${mutation.name}`, () => {
      for (const { file, find, replace } of editsOf(mutation)) {
        expect(readFileSync(file, "utf8").split(find), file).to.have.lengthOf(2);
        expect(replace).to.not.equal(find);
      }
    });
  }

  it("have names of their own, and are at least twelve", () => {
    expect(new Set(mutations.map(({ name }) => name))).to.have.lengthOf(mutations.length);
    expect(mutations).to.have.length.of.at.least(12);
  });
});
