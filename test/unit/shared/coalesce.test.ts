import { expect } from "chai";
import { describe, it } from "mocha";
import { type CoalescerOptions, createCoalescer } from "../../../shared/coalesce.ts";
import { dependencyUnavailable } from "../../../shared/errors.ts";

interface Run {
  readonly inputs: readonly number[];
  end(): void;
  fail(error: unknown): void;
}

function createStage(options: Partial<CoalescerOptions<number, number>> = {}) {
  const runs: Run[] = [];
  const call = createCoalescer<number, number>({
    ...options,
    run: (inputs) =>
      new Promise((resolve, reject) => {
        runs.push({ inputs, end: () => resolve(inputs.map((input) => input * 10)), fail: reject });
      }),
  });
  return { runs, call, inputs: () => runs.map((run) => run.inputs) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("coalesced calls", () => {
  it("joins those of one turn, and answers each with its own", async () => {
    const { runs, call, inputs } = createStage();
    const answers = [call(1), call(2)];
    await turn();
    runs[0]?.end();
    expect(await Promise.all(answers)).to.deep.equal([10, 20]);
    expect(inputs()).to.deep.equal([[1, 2]]);
  });

  it("joins those that come while a few runs are under way", async () => {
    const { runs, call, inputs } = createStage();
    const answers: Promise<number>[] = [];
    for (const input of [1, 2, 3, 4, 5, 6]) {
      answers.push(call(input));
      await turn();
    }
    expect(inputs()).to.deep.equal([[1], [2], [3], [4]]);
    runs[2]?.end();
    await turn();
    for (const run of runs) run.end();
    expect(await Promise.all(answers)).to.deep.equal([10, 20, 30, 40, 50, 60]);
    expect(inputs().at(-1)).to.deep.equal([5, 6]);
  });

  it("has no more runs under way than it may", async () => {
    const { runs, call, inputs } = createStage({ runsAtOnce: 2 });
    const answers: Promise<number>[] = [];
    for (const input of [1, 2, 3, 4]) {
      answers.push(call(input));
      await turn();
    }
    expect(inputs()).to.deep.equal([[1], [2]]);
    runs[0]?.end();
    await turn();
    for (const run of runs) run.end();
    expect(await Promise.all(answers)).to.deep.equal([10, 20, 30, 40]);
    expect(inputs()).to.deep.equal([[1], [2], [3, 4]]);
  });

  it("never serves a call by a run that began before it", async () => {
    const { runs, call, inputs } = createStage();
    const first = call(1);
    await turn();
    const second = call(2);
    expect(inputs()).to.deep.equal([[1]]);
    await turn();
    for (const run of runs) run.end();
    expect(await Promise.all([first, second])).to.deep.equal([10, 20]);
    expect(inputs()).to.deep.equal([[1], [2]]);
  });

  it("holds nobody up for a run that takes long", async () => {
    const { runs, call } = createStage();
    void call(1);
    await turn();
    const other = call(2);
    await turn();
    runs[1]?.end();
    expect(await other).to.equal(20);
  });

  it("takes no more into a run than it may, but one at least", async () => {
    const { runs, call, inputs } = createStage({ weigh: (input) => input, mostInARun: 5 });
    const calls = [call(2), call(3), call(9), call(1)];
    for (let run = 0; run < 3; run += 1) {
      await turn();
      runs[run]?.end();
    }
    expect(await Promise.all(calls)).to.deep.equal([20, 30, 90, 10]);
    expect(inputs()).to.deep.equal([[2, 3], [9], [1]]);
  });

  it("fails those whom a run served where something was away, and goes on with the others", async () => {
    const { runs, call, inputs } = createStage();
    const failing = [call(1), call(2)].map((answer) => answer.catch(() => "failed"));
    await turn();
    const other = call(3);
    runs[0]?.fail(dependencyUnavailable("redis", new Error("away")));
    expect(await Promise.all(failing)).to.deep.equal(["failed", "failed"]);
    await turn();
    runs[1]?.end();
    expect(await other).to.equal(30);
    expect(inputs()).to.deep.equal([[1, 2], [3]]);
  });

  it("tries each alone where a run failed for what it was given, so that only the one to blame fails", async () => {
    const { runs, call, inputs } = createStage();
    const answers = [call(1), call(2), call(3)].map((answer) => answer.catch(() => "failed"));
    await turn();
    runs[0]?.fail(new TypeError("not a number"));
    for (const run of [1, 2, 3]) {
      await turn();
      if (run === 2) runs[run]?.fail(new TypeError("not a number"));
      else runs[run]?.end();
    }
    expect(await Promise.all(answers)).to.deep.equal([10, "failed", 30]);
    expect(inputs()).to.deep.equal([[1, 2, 3], [1], [2], [3]]);
  });
});
