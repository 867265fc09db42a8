import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { describe, it } from "mocha";
import { mutations } from "../../chaos/mutations.ts";

describe("what chaos and the load test must notice", () => {
  for (const { name, file, find } of mutations) {
    it(`stands once where it is taken out: ${name}`, async () => {
      const source = await readFile(file, "utf8");
      expect(source.split(find).length - 1).to.equal(1);
    });
  }
});
