import { expect } from "chai";
import { describe, it } from "mocha";
import { runEventDoor } from "./event-door.ts";

describe("the event door under fuzz", () => {
  it("ends every event as a revocation, a duplicate or a dead letter, and hits nobody else", async function () {
    this.timeout(60_000);
    const { findings, inputs, ...ends } = await runEventDoor({ seconds: 5, seed: 1 });

    expect(findings).to.deep.equal([]);
    for (const count of [inputs.http, inputs.log, ends.applied, ends.dead_letters, ends.refused]) {
      expect(count).to.be.above(0);
    }
  });
});
