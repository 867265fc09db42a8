import { expect } from "chai";
import { describe, it } from "mocha";
import { eventDoor } from "./doors/event/event-door.ts";
import { runFuzz } from "./run-fuzz.ts";

describe("the event door under fuzz", () => {
  it("ends every event as a revocation, a duplicate or a dead letter, and hits nobody else", async function () {
    this.timeout(60_000);
    const { findings, outcomes } = await runFuzz(eventDoor, { seconds: 5, seed: 1 });

    expect(findings).to.deep.equal([]);
    const kinds = Object.keys(outcomes).map((outcome) => outcome.replace(/:.*/, ""));
    expect(kinds).to.include.members(["applied", "dead letter", "over HTTP"]);
    expect(Object.keys(outcomes)).to.include.members(["over HTTP: 202", "over HTTP: 400"]);
  });
});
