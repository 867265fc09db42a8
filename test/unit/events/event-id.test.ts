import { expect } from "chai";
import { describe, it } from "mocha";
import { ledgerIdOf, sessionEndIdOf } from "../../../shared/events/event-id.ts";

describe("ledgerIdOf", () => {
  it("is the id itself for an own event", () => {
    expect(ledgerIdOf({ source: "/quash/test", id: "e-1" }, "test")).to.equal("e-1");
  });

  it("is one UUID of version 8 for an event of anybody else", () => {
    const id = ledgerIdOf({ source: "https://hr.example", id: "e-1" }, "test");
    expect(id).to.match(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(ledgerIdOf({ source: "https://hr.example", id: "e-1" }, "test")).to.equal(id);
  });

  it("differs where two sources use one id, and wherever the border between them lies", () => {
    const ids = [
      { source: "a", id: "e-1" },
      { source: "b", id: "e-1" },
      { source: "a,e", id: "-1" },
      { source: "/quash/other", id: "e-1" },
    ].map((event) => ledgerIdOf(event, "test"));
    expect(new Set(ids).size).to.equal(4);
  });
});

describe("sessionEndIdOf", () => {
  it("is one UUID of version 8 for each session", () => {
    expect(sessionEndIdOf("s1")).to.match(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(sessionEndIdOf("s1")).to.equal(sessionEndIdOf("s1"));
    expect(sessionEndIdOf("s1")).not.to.equal(sessionEndIdOf("s2"));
  });
});
