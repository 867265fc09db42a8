import { expect } from "chai";
import { describe, it } from "mocha";
import { createPrepareTokens } from "../../../api/tokens/prepare-tokens.ts";

describe("prepareTokens", () => {
  it("raises the longest lifetime, again after a failure, never after a success", async () => {
    let attempts = 0;
    const prepareTokens = createPrepareTokens(async () => {
      attempts += 1;
      if (attempts === 1) throw new Error("away");
    });
    const first = await prepareTokens().catch((error: unknown) => error);
    expect(first).to.be.an("error");
    await prepareTokens();
    await prepareTokens();
    expect(attempts).to.equal(2);
  });

  it("raises once for all who come at the same time", async () => {
    let attempts = 0;
    const prepareTokens = createPrepareTokens(async () => void (attempts += 1));
    await Promise.all([prepareTokens(), prepareTokens()]);
    expect(attempts).to.equal(1);
  });
});
