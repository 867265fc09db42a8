import { expect } from "chai";
import { describe, it } from "mocha";
import { askAhead, readAhead } from "../../../shared/read-ahead.ts";

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

  it("answers in the order of the items, whichever answer comes first", async () => {
    const waits = [3, 0, 2, 1];
    const ask = async (at: number) => {
      for (let i = 0; i < (waits[at] ?? 0); i += 1) await later();
      return at;
    };
    const seen: number[] = [];
    for await (const at of askAhead([0, 1, 2, 3], ask, 2)) seen.push(at);
    expect(seen).to.deep.equal([0, 1, 2, 3]);
  });

  it("asks for as many more as it is told, and for no more", async () => {
    const asked: number[] = [];
    const ask = (n: number) => {
      asked.push(n);
      return Promise.resolve(n);
    };
    const seen: number[] = [];
    for await (const n of askAhead([1, 2, 3, 4, 5], ask, 2)) {
      await later();
      seen.push(asked.length - n);
    }
    expect(seen).to.deep.equal([2, 2, 2, 1, 0]);
  });

  it("tells of a failure in its turn, after what was answered before it", async () => {
    const ask = (n: number) => (n === 3 ? Promise.reject(new Error("no third")) : Promise.resolve(n));
    const seen: number[] = [];
    let told = "";
    try {
      for await (const n of askAhead([1, 2, 3, 4], ask, 3)) seen.push(n);
    } catch (err) {
      told = String(err);
    }
    expect(seen).to.deep.equal([1, 2]);
    expect(told).to.equal("Error: no third");
  });

  it("leaves nothing asked for behind when its reader stops", async () => {
    let running = 0;
    const ask = async (n: number) => {
      running += 1;
      await later();
      await later();
      running -= 1;
      return n;
    };
    for await (const n of askAhead([1, 2, 3, 4, 5], ask, 2)) if (n === 2) break;
    expect(running).to.equal(0);
  });
});
