import { createHash } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";
import {
  keyRevocationIdOf,
  ledgerIdOf,
  reconciliationIdOf,
  sessionEndIdOf,
} from "../../../shared/events/event-id.ts";

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

describe("the ids of own events", () => {
  const name = fc.oneof(fc.string(), fc.constantFrom("session-ended", "key-revoked", "reconciled", "quash"));

  it("are none that an upstream event can get, whatever its source and id", () => {
    fc.assert(
      fc.property(name, name, (source, id) => {
        const upstream = ledgerIdOf({ source, id }, "test");
        const own = [source, id].flatMap((text) => [
          sessionEndIdOf(text),
          keyRevocationIdOf(text),
          reconciliationIdOf(text, 1),
        ]);
        expect(own).not.to.include(upstream);
      }),
    );
  });

  it("keep apart from what upstream events are named by: a source and an id, and nothing else", () => {
    const hash = createHash("sha256").update('["/hr","e-1"]').digest("hex");
    const upstream = ledgerIdOf({ source: "/hr", id: "e-1" }, "test");
    expect(upstream.slice(0, 8)).to.equal(hash.slice(0, 8));
  });
});
