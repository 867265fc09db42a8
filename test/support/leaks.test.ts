import { expect } from "chai";
import { describe, it } from "mocha";
import { createLeaks } from "./leaks.ts";

const secret = 'canary "of" all/forms';

describe("looking for leaks", () => {
  for (const [form, text] of [
    ["as it is", `x${secret}x`],
    ["in JSON", JSON.stringify({ secret })],
    ["in a URL", `?a=${encodeURIComponent(secret)}`],
    ["in base64", Buffer.from(secret).toString("base64")],
    ["in hexadecimal digits", Buffer.from(secret).toString("hex")],
  ] as const) {
    it(`finds a secret ${form}`, () => {
      const leaks = createLeaks();
      leaks.keep("password", secret);
      leaks.note("log", text);
      expect(leaks.found).to.include("password in log");
    });
  }

  it("finds each part of a token, and nothing where there is nothing", () => {
    const leaks = createLeaks();
    leaks.keep("token", "abcdefghijklmnopqr.stuvwxyzabcdefghij.x");
    leaks.note("one", "stuvwxyzabcdefghij");
    leaks.note("two", "abc.stuv.x");
    expect(leaks.found).to.deep.equal(["token in one"]);
  });

  it("takes no secret that might stand anywhere by chance", () => {
    expect(() => createLeaks().keep("short", "abc")).to.throw(RangeError);
  });
});
