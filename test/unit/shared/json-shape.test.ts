import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";
import { inspectJson } from "../../../shared/json-shape.ts";

describe("inspectJson", () => {
  it("finds a member that stands twice in one object, escaped or not", () => {
    expect(inspectJson('{"a":1,"b":{"c":1,"\\u0063" :2}}').repeatedMember).to.deep.equal(["b", "c"]);
  });

  it("takes no value and no member of another object for a repetition", () => {
    expect(inspectJson('{"a":"a","b":["a","a",{"a":1},{"a":1}],"c":{"a":"\\":{"}}').repeatedMember).to.equal(
      null,
    );
  });

  it("counts how deep a text is nested, outside strings only", () => {
    expect(inspectJson('{"a":[["[[[",{}]]}').depth).to.equal(4);
  });

  it("finds nothing in what JSON.stringify writes", () => {
    fc.assert(
      fc.property(fc.json(), (text) => inspectJson(JSON.stringify(JSON.parse(text))).repeatedMember === null),
    );
  });
});
