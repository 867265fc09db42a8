import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";
import { parseBoundedObject } from "../../../api/tokens/bounded-json.ts";
import { inspectJson } from "../../../shared/json-shape.ts";

const roomy = { depth: 1_000, members: 10_000, marks: 100_000 };
const bounds = { depth: 3, members: 4, marks: 12 };
const kindOf = (text: string) => parseBoundedObject(text, bounds).kind;

describe("parseBoundedObject", () => {
  it("parses an object as JSON.parse does, and finds no member twice in what JSON.stringify writes", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const text = JSON.stringify(value);
        const parsed = parseBoundedObject(text, roomy);
        expect(parsed).to.include({ kind: "object", hasRepeatedMember: false });
        expect(parsed).to.have.property("members").that.deep.equals(JSON.parse(text));
      }),
    );
  });

  it("finds a repeated member wherever and however it is written, as the whole inspection does", () => {
    const name = fc.constantFrom('"a"', '"\\u0061"', '"b"', '"\\":{"', '"__proto__"');
    const { object } = fc.letrec<{ object: string; value: string }>((tie) => ({
      value: fc.oneof({ depthSize: "small" }, fc.constantFrom("1", '"a:,{"', "null"), tie("object")),
      object: fc
        .array(fc.tuple(name, tie("value")), { maxLength: 4 })
        .map((members) => `{${members.map(([key, value]) => `${key} : ${value}`).join(",")}}`),
    }));
    fc.assert(
      fc.property(object, (text) => {
        const expected = inspectJson(text).repeatedMember !== null;
        expect(parseBoundedObject(text, roomy)).to.include({ hasRepeatedMember: expected });
      }),
      { numRuns: 500 },
    );
  });

  it("refuses what is beyond the bounds before it is parsed", () => {
    expect(kindOf('{"a":[[[1')).to.equal("too-deep");
    expect(kindOf("{".repeat(5_000))).to.equal("too-deep");
    expect(kindOf('{"a":1,"b":1,"c":1,"d":1,"e":1')).to.equal("too-many");
    expect(kindOf('{"a":[1,1,1,1,1,1,1,1,1,1,1,1')).to.equal("too-many");
    expect(kindOf(",".repeat(5_000))).to.equal("too-many");
  });

  it("takes nothing in a text for structure", () => {
    expect(kindOf(`{"a":"${'[{:,\\"'.repeat(100)}"}`)).to.equal("object");
    expect(() => kindOf(`{"a":"${"[".repeat(100)}`)).to.throw(SyntaxError);
    expect(() => kindOf('{"a":"\\')).to.throw(SyntaxError);
  });

  it("tells arrays and bare values from objects", () => {
    for (const text of ["[]", "1", '"a"', "null", "true"]) expect(kindOf(text)).to.equal("no-object");
  });

  it("finds control characters and half surrogate pairs in every name and text, escaped or not", () => {
    const hidden = [
      '{"a":"\\u0000"}',
      '{"a":["\\n"]}',
      '{"a\\r":1}',
      '{"a":{"b":"\\ud800"}}',
      '{"a":"\x7f"}',
    ];
    for (const text of hidden)
      expect(parseBoundedObject(text, bounds), text).to.include({ hasHiddenCharacter: true });
    const open = ['{"a":"\\\\n"}', '{"a":"\\u00e9"}', '{"a":"\\ud83d\\ude00"}', '{"é":"😀"}'];
    for (const text of open)
      expect(parseBoundedObject(text, bounds), text).to.include({ hasHiddenCharacter: false });
  });
});
