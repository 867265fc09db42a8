import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { createBoundedHasher } from "../../../api/users/bounded-hasher.ts";
import { createArgon2Hasher } from "../../../api/users/password-hasher.ts";
import type { PasswordHasher } from "../../../shared/ports/platform.ts";
import { expectError } from "../../support/expect-error.ts";

describe("a bounded hasher", () => {
  const started: string[] = [];
  const finish: ((outcome?: Error) => void)[] = [];
  const slow: PasswordHasher = {
    hash: (password) =>
      new Promise((resolve, reject) => {
        started.push(password);
        finish.push((error) => (error ? reject(error) : resolve(`hash of ${password}`)));
      }),
    verify: () => Promise.resolve(true),
  };

  beforeEach(() => {
    started.length = 0;
    finish.length = 0;
  });
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  it("does so much at once, the rest in the order of the calls, whether or not one fails", async () => {
    const hasher = createBoundedHasher(slow, { atOnce: 2, waiting: 2 });
    const [one, two, three, four] = ["1", "2", "3", "4"].map((password) => hasher.hash(password));
    await turn();
    expect(started).to.deep.equal(["1", "2"]);
    finish[1]?.(new Error("no memory"));
    finish[0]?.();
    expect(await two?.catch(String)).to.equal("Error: no memory");
    await turn();
    expect(started).to.deep.equal(["1", "2", "3", "4"]);
    finish[2]?.();
    finish[3]?.();
    expect(await Promise.all([one, three, four])).to.deep.equal(["hash of 1", "hash of 3", "hash of 4"]);
  });

  it("lets everything else go on meanwhile", async () => {
    const hasher = createBoundedHasher(createArgon2Hasher());
    let turns = 0;
    const count = () => {
      turns += 1;
      if (turns < 1_000) setImmediate(count);
    };
    setImmediate(count);
    const hash = await hasher.hash("long enough");
    expect(turns).to.be.above(10);
    expect(await hasher.verify(hash, "long enough")).to.equal(true);
  });

  it("refuses what may not wait with too-busy, and takes it when there is room again", async () => {
    const hasher = createBoundedHasher(slow, { atOnce: 1, waiting: 1 });
    const calls = [hasher.hash("1"), hasher.hash("2")];
    await expectError("too-busy", () => hasher.hash("3"));
    await expectError("too-busy", () => hasher.verify("x", "3"));
    finish[0]?.();
    await turn();
    finish[1]?.();
    await Promise.all(calls);
    expect(await hasher.verify("x", "3")).to.equal(true);
  });
});
