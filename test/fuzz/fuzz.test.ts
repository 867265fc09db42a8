import { expect } from "chai";
import { describe, it } from "mocha";
import { doors } from "./doors/index.ts";
import { runFuzz } from "./run-fuzz.ts";

const seconds = 5;

describe("fuzz", () => {
  for (const door of doors) {
    it(`the door ${door.name} answers ${seconds} seconds of ${door.about} without a 5xx, a hang or a false accept`, async function () {
      this.timeout(60_000);
      const { cases, findings } = await runFuzz(door, { seconds, seed: Date.now() });
      expect(findings).to.deep.equal([]);
      expect(cases).to.be.greaterThan(0);
    });
  }
});
