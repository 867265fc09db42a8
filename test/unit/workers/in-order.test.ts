import { expect } from "chai";
import { describe, it } from "mocha";
import { runInOrder } from "../../../workers/in-order.ts";

const keyOf = (item: string) => item.slice(0, 1);

describe("running in order", () => {
  it("keeps the order of one key, and at most the limit at once", async () => {
    const done: string[] = [];
    let [atOnce, most] = [0, 0];
    await runInOrder(["a1", "b1", "c1", "a2", "b2", "a3"], { limit: 2, keyOf }, async (item) => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      await new Promise((resolve) => setImmediate(resolve));
      atOnce -= 1;
      done.push(item);
    });
    expect(most).to.equal(2);
    expect(done.filter((item) => keyOf(item) === "a")).to.deep.equal(["a1", "a2", "a3"]);
    expect(done).to.have.length(6);
  });

  it("begins nothing after a failure, and rejects once all that had begun has ended", async () => {
    const begun: string[] = [];
    let ended = 0;
    const run = runInOrder(["a1", "a2", "b1", "b2"], { limit: 2, keyOf }, async (item) => {
      begun.push(item);
      if (item === "a1") throw new Error("first");
      await new Promise((resolve) => setImmediate(resolve));
      ended += 1;
    });
    const error: unknown = await run.catch((caught: unknown) => caught);
    expect(error).to.have.property("message", "first");
    expect(begun).to.deep.equal(["a1", "b1"]);
    expect(ended).to.equal(1);
  });
});
