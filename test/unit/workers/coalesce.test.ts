import { expect } from "chai";
import { describe, it } from "mocha";
import { createCoalescer } from "../../../workers/coalesce.ts";

function createStage() {
  const runs: { inputs: readonly number[]; end: () => void; fail: () => void }[] = [];
  const call = createCoalescer<number, number>(
    (inputs) =>
      new Promise((resolve, reject) => {
        const end = () => resolve(inputs.map((input) => input * 10));
        runs.push({ inputs, end, fail: () => reject(new Error("failed")) });
      }),
  );
  return { runs, call };
}

describe("coalesced calls", () => {
  it("joins those that come while one is under way, and answers each with its own", async () => {
    const { runs, call } = createStage();
    const answers = [call(1), call(2), call(3)];
    runs[0]?.end();
    await answers[0];
    runs[1]?.end();
    expect(await Promise.all(answers)).to.deep.equal([10, 20, 30]);
    expect(runs.map(({ inputs }) => inputs)).to.deep.equal([[1], [2, 3]]);
  });

  it("never serves a call by a run that began before it", async () => {
    const { runs, call } = createStage();
    const first = call(1);
    const second = call(2);
    runs[0]?.end();
    await first;
    expect(runs[1]?.inputs).to.deep.equal([2]);
    runs[1]?.end();
    await second;
  });

  it("fails those whom a run served, and goes on with the others", async () => {
    const { runs, call } = createStage();
    const failing = call(1).catch(() => "failed");
    const other = call(2);
    runs[0]?.fail();
    expect(await failing).to.equal("failed");
    runs[1]?.end();
    expect(await other).to.equal(20);
  });
});
