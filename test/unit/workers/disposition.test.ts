import { expect } from "chai";
import { describe, it } from "mocha";
import { AppError, dependencyUnavailable } from "../../../shared/errors.ts";
import { BatchAbandoned, dispositionOf } from "../../../workers/revoker/disposition.ts";

describe("disposition of a failed event", () => {
  it("retries what is away, however often it failed", () => {
    const away = dependencyUnavailable("redis", new Error("refused"));
    expect(dispositionOf(away, 1_000)).to.deep.equal({ kind: "retry" });
    expect(dispositionOf(new AppError("store-invalid", "repair"), 1_000)).to.deep.equal({ kind: "retry" });
  });

  it("sets a refused event aside at once", () => {
    expect(dispositionOf(new AppError("event-rejected", "no epoch"), 1)).to.include({
      kind: "dead-letter",
      reason: "data-invalid",
      isBug: false,
    });
  });

  it("tries an unknown error a few times, then takes it for a bug", () => {
    const bug = new TypeError("secret in the message");
    expect(dispositionOf(bug, 2)).to.deep.equal({ kind: "retry" });
    expect(dispositionOf(bug, 3)).to.deep.equal({
      kind: "dead-letter",
      reason: "internal-error",
      detail: "TypeError",
      isBug: true,
    });
  });

  it("leaves a batch that is no longer ours", () => {
    expect(dispositionOf(new BatchAbandoned(), 1)).to.deep.equal({ kind: "abandon" });
  });
});
