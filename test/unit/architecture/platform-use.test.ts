import { expect } from "chai";
import { describe, it } from "mocha";
import { readSources } from "../../support/sources.ts";

/** Process entries and the real platform: the only places that touch the machine. */
const exempt = (path: string) => path === "shared/platform.ts" || /(^|\/)main\.ts$/.test(path);

const directUses: readonly [what: string, pattern: RegExp][] = [
  ["the wall clock", /\bDate\.now\(|\bnew Date\(\)/],
  ["the monotonic clock", /\bperformance\.now\(|\bhrtime\b/],
  ["timers", /\b(setTimeout|setInterval|setImmediate)\(|timers\/promises/],
  ["randomness", /\bMath\.random\(|\brandomBytes\b|\brandomUUID\b|\bgetRandomValues\b|\brandomInt\b/],
  ["the environment", /\bprocess\.env\b/],
];

describe("the platform", () => {
  for (const [what, pattern] of directUses) {
    it(`hands ${what} to everything below the composition roots`, () => {
      const found = readSources("api", "workers", "shared")
        .filter(({ path, text }) => !exempt(path) && pattern.test(text))
        .map(({ path }) => path);
      expect(found).to.deep.equal([]);
    });
  }
});
