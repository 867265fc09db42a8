import { expect } from "chai";
import { describe, it } from "mocha";
import { readAhead } from "../../../shared/read-ahead.ts";

describe("reading ahead", () => {
  const later = () => new Promise((resolve) => setImmediate(resolve));

  async function* numbers(asked: number[], upTo: number) {
    for (let n = 1; n <= upTo; n += 1) {
      asked.push(n);
      yield n;
    }
  }

  it("has asked a source for the next one while one is being worked on", async () => {
    const asked: number[] = [];
    const seen: (readonly number[])[] = [];
    for await (const n of readAhead(numbers(asked, 3))) {
      await later();
      seen.push([n, ...asked]);
    }
    expect(seen).to.deep.equal([
      [1, 1, 2],
      [2, 1, 2, 3],
      [3, 1, 2, 3],
    ]);
  });

  it("tells of a failure in its turn, after what came before it", async () => {
    async function* failing() {
      yield 1;
      yield 2;
      await later();
      throw new Error("no third");
    }
    const seen: number[] = [];
    let told = "";
    try {
      for await (const n of readAhead(failing())) seen.push(n);
    } catch (err) {
      told = String(err);
    }
    expect(seen).to.deep.equal([1, 2]);
    expect(told).to.equal("Error: no third");
  });

  it("ends the source when its reader stops, after what it asked for is there", async () => {
    const happened: string[] = [];
    async function* source() {
      try {
        for (let n = 1; ; n += 1) {
          await later();
          happened.push(`made ${n}`);
          yield n;
        }
      } finally {
        happened.push("ended");
      }
    }
    for await (const n of readAhead(source())) if (n === 2) break;
    expect(happened).to.deep.equal(["made 1", "made 2", "made 3", "ended"]);
  });
});
