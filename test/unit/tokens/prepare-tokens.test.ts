import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { createPrepareTokens, type PrepareTokens } from "../../../api/tokens/prepare-tokens.ts";

describe("prepareTokens", () => {
  let isAccepting: boolean;
  let raises: number;
  let prepareTokens: PrepareTokens;

  beforeEach(() => {
    [isAccepting, raises] = [false, 0];
    prepareTokens = createPrepareTokens({
      feed: { isAccepting: () => isAccepting },
      raise: async () => {
        raises += 1;
        if (raises === 1) throw new Error("away");
      },
    });
  });

  it("fails while the fence cannot be raised", async () => {
    expect(await prepareTokens().catch((error: unknown) => error)).to.be.an("error");
  });

  it("raises the fence before each token while the instance does not accept, and remembers nothing", async () => {
    await prepareTokens().catch(() => undefined);
    await prepareTokens();
    await prepareTokens();
    expect(raises).to.equal(3);
  });

  it("has nothing to do while the instance accepts, and raises again as soon as it does not", async () => {
    isAccepting = true;
    await prepareTokens();
    expect(raises).to.equal(0);
    isAccepting = false;
    await prepareTokens().catch(() => undefined);
    expect(raises).to.equal(1);
  });
});
