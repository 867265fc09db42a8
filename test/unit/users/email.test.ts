import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";
import { normaliseEmail } from "../../../api/users/email.ts";

/** Letters, white space and the marks that compose with them, of which some have only a small or only a large form. */
const parts = fc.constantFrom(
  "J",
  "j",
  "\u030c",
  "\u0307",
  "I",
  "\u0130",
  "\u212a",
  "\u1e9e",
  "\u01f0",
  " ",
  "\u0345",
);
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.array(parts).map((found) => found.join("")),
);

describe("normaliseEmail", () => {
  it("changes nothing in what it has given", () => {
    fc.assert(
      fc.property(text, (local) => {
        const once = normaliseEmail(`${local}@example.com`);
        expect(normaliseEmail(once)).to.equal(once);
      }),
    );
  });

  it("gives a capital and its small letter one spelling, where only the small one is composed", () => {
    expect(normaliseEmail("J\u030coe@example.com")).to.equal(normaliseEmail("\u01f0oe@example.com"));
  });
});
