import { expect } from "chai";
import { describe, it } from "mocha";
import { dependencyUnavailable } from "../../../shared/errors.ts";
import { createBatchRetry } from "../../../workers/revoker/batch-retry.ts";
import { createManualPlatform } from "../../support/manual-clock.ts";

describe("trying a batch again", () => {
  it("tries together what failed together, so that its calls are joined", async () => {
    const platform = createManualPlatform();
    const batch = { heartbeat: () => Promise.resolve(), isStale: () => false };
    const failures: number[] = [];
    const retry = createBatchRetry(batch, platform, (_error, attempt) => failures.push(attempt));
    const triedAtMs: number[][] = [[], [], []];
    const ended = Promise.all(
      triedAtMs.map((times) =>
        retry.attempt(async (attempt) => {
          times.push(platform.clock.monotonicMs());
          await Promise.resolve();
          if (attempt < 4) throw dependencyUnavailable("mongodb", new Error("away"));
        }),
      ),
    );
    await platform.advance(60_000);
    expect(await ended).to.deep.equal([null, null, null]);
    const [first, ...others] = triedAtMs;
    expect(new Set(first).size).to.equal(4);
    for (const other of others) expect(other).to.deep.equal(first);
    expect(failures).to.have.length(9);
  });
});
