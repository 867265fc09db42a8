import { expect } from "chai";
import { describe, it } from "mocha";
import { eventually } from "./eventually.ts";

describe("eventually", () => {
  it("returns what the first attempt that does not throw returns", async () => {
    let attempts = 0;
    const result = await eventually(
      () => {
        attempts += 1;
        if (attempts < 3) throw new Error("not yet");
        return attempts;
      },
      { intervalMs: 1 },
    );
    expect(result).to.equal(3);
  });

  it("fails at the deadline with the last failure as its cause", async () => {
    const last = new Error("still wrong");
    const failure: unknown = await eventually(() => Promise.reject(last), {
      timeoutMs: 20,
      intervalMs: 1,
    }).catch((error: unknown) => error);
    expect(failure).to.be.an.instanceOf(Error).with.property("cause", last);
  });

  it("cuts off an attempt that hangs", async () => {
    const failure: unknown = await eventually(() => new Promise(() => undefined), { timeoutMs: 20 }).catch(
      (error: unknown) => error,
    );
    expect(failure).to.be.an.instanceOf(Error).with.property("message").that.contains("within 20 ms");
  });
});
