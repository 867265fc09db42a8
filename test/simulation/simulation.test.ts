import { expect } from "chai";
import { describe, it } from "mocha";
import { mutations } from "./mutations.ts";
import { runMutations } from "./run-mutations.ts";
import { createRunSeed } from "./run-seed.ts";
import { runSeeds } from "./seed-pool.ts";

const seeds = 300;

describe("simulation", function () {
  this.timeout(300_000);

  it(`violates no invariant in ${seeds} seeds`, async () => {
    const results = await runSeeds({ firstSeed: 1, seeds });
    const violations = results.flatMap(({ seed, violations: found }) =>
      found.map(({ invariant, what }) => `seed ${seed}: ${invariant}, ${what}`),
    );
    expect(violations).to.deep.equal([]);
    expect(results).to.have.lengthOf(seeds);
    expect(results.reduce((sum, { tokens }) => sum + tokens, 0)).to.be.at.least(seeds);
  });

  it("replays a seed to the same end, byte for byte", async () => {
    const runSeed = await createRunSeed();
    const [first, second] = [await runSeed(7), await runSeed(7)];
    expect(second.digest).to.equal(first.digest);
    expect((await runSeed(8)).digest).to.not.equal(first.digest);
  });

  it("notices a deliberate fault in the product", async () => {
    const [mutation] = mutations.filter(({ name }) => name === "a cut-off reaches its own epoch");
    const outcomes: unknown[] = [];
    await runMutations({
      only: mutation?.name,
      seedsAtMost: 20,
      onOutcome: ({ found }) => outcomes.push(found),
    });
    expect(outcomes).to.deep.equal([true]);
  });
});
