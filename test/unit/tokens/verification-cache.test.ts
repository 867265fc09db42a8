import { expect } from "chai";
import { describe, it } from "mocha";
import { VerificationCache } from "../../../api/tokens/verification-cache.ts";
import { createRandom } from "../../support/random.ts";

const roomy = { maxEntries: 1_000, maxBytes: 10_000_000 };

describe("verification cache", () => {
  it("gives back what was put under the whole token, and nothing under another", () => {
    const cache = new VerificationCache<number>(roomy);
    cache.put("token a", 1);
    cache.put("token b", 2);
    expect([cache.get("token a"), cache.get("token b"), cache.get("token")]).to.deep.equal([1, 2, undefined]);
  });

  it("knows none that only ends like one that it holds, and holds one of those", () => {
    const [one, other] = ["a", "b"].map((start) => start + "x".repeat(40));
    const cache = new VerificationCache<number>({ ...roomy, maxEntries: 4 });
    cache.put(`${one}`, 1);
    expect(cache.get(`${other}`)).to.equal(undefined);
    cache.put("token", 2);
    cache.put("another", 3);
    cache.put(`${other}`, 4);
    expect([cache.get(`${one}`), cache.get(`${other}`), cache.entries]).to.deep.equal([undefined, 4, 3]);
  });

  it("knows none that differs from one that it holds anywhere, in either generation", () => {
    const token = "abcdefghijklmnopqrstuvwxyz";
    const others = Array.from(token, (_, at) => `${token.slice(0, at)}A${token.slice(at + 1)}`);
    const cache = new VerificationCache<number>({ ...roomy, maxEntries: 4 });
    cache.put(token, 1);
    const expectNone = () => {
      for (const other of [...others, `a${token}`, `${token}a`])
        expect(cache.get(other), other).to.equal(undefined);
    };
    expectNone();
    cache.put("one", 2);
    cache.put("two", 3);
    expectNone();
    expect(cache.get(token)).to.equal(1);
  });

  it("forgets both generations when it is cleared", () => {
    const cache = new VerificationCache<number>({ ...roomy, maxEntries: 4 });
    for (const [n, token] of ["old", "one", "two"].entries()) cache.put(token, n);
    expect(cache.entries).to.equal(3);
    cache.clear();
    expect(["old", "one", "two"].map((token) => cache.get(token))).to.deep.equal(Array(3).fill(undefined));
    expect([cache.entries, cache.bytes]).to.deep.equal([0, 0]);
  });

  it("counts what it holds, whatever was put, asked for and replaced", () => {
    const random = createRandom("verification cache");
    const ends = ["a", "b", "c", "d"].map((one) => one.repeat(12));
    const tokens = ends.flatMap((end) => ["", "x", "yy", "zzz"].map((start) => start + end));
    const cache = new VerificationCache<string>({ ...roomy, maxEntries: 6 });
    const least = 1_024 + 12;
    for (let n = 0; n < 20_000; n += 1) {
      const token = random.pick(tokens);
      if (random.chance(0.5)) cache.put(token, token);
      else expect(cache.get(token)).to.be.oneOf([token, undefined]);
      expect(cache.entries).to.be.at.most(4);
      expect(cache.bytes).to.be.within(cache.entries * least, cache.entries * (least + 3));
    }
  });

  it("throws nothing out for one that is too large", () => {
    const cache = new VerificationCache<number>({ ...roomy, maxBytes: 20_000 });
    cache.put("good", 1);
    for (const large of ["x", "y"]) cache.put(large.repeat(20_000), 2);
    expect(cache.get("good")).to.equal(1);
  });

  it("never holds more entries than it may", () => {
    const cache = new VerificationCache<number>({ ...roomy, maxEntries: 10 });
    for (let n = 0; n < 1_000; n += 1) {
      cache.put(`token ${n}`, n);
      expect(cache.entries).to.be.at.most(10);
    }
    expect(cache.get("token 999")).to.equal(999);
  });

  it("never holds more bytes than it may, and nothing that is too large", () => {
    const cache = new VerificationCache<number>({ ...roomy, maxBytes: 20_000 });
    for (let n = 0; n < 1_000; n += 1) {
      cache.put(`${n}`.padStart(n, "x"), n);
      expect(cache.bytes).to.be.at.most(20_000);
    }
    cache.put("x".repeat(20_000), 1);
    expect(cache.get("x".repeat(20_000))).to.equal(undefined);
  });

  it("keeps what is asked for while much else comes and goes", () => {
    const cache = new VerificationCache<number>({ ...roomy, maxEntries: 10 });
    cache.put("in use", 1);
    for (let n = 0; n < 1_000; n += 1) {
      cache.put(`token ${n}`, n);
      expect(cache.get("in use")).to.equal(1);
    }
  });

  it("counts what is put again once, and forgets all of it when it is cleared", () => {
    const cache = new VerificationCache<number>(roomy);
    for (let n = 0; n < 10; n += 1) cache.put("token", n);
    expect([cache.entries, cache.get("token")]).to.deep.equal([1, 9]);
    cache.clear();
    expect([cache.entries, cache.bytes, cache.get("token")]).to.deep.equal([0, 0, undefined]);
  });
});
