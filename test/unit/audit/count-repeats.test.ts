import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { createRepeats, type Repeats } from "../../../api/audit/count-repeats.ts";
import type { AuditRequest } from "../../../shared/audit/audit.ts";
import { createManualPlatform, type ManualPlatform } from "../../support/manual-clock.ts";

describe("repeats", () => {
  let platform: ManualPlatform;
  let recorded: AuditRequest[];
  let repeats: Repeats;

  beforeEach(() => {
    platform = createManualPlatform();
    recorded = [];
    const audit = { record: (request: AuditRequest) => void recorded.push(request) };
    repeats = createRepeats({ ...platform, audit, maxKeys: 2 });
  });

  function note(key: string, times = 1, livesMs = 600_000): void {
    const untilMs = platform.clock.wallMs() + livesMs;
    for (let left = times; left > 0; left -= 1) {
      repeats.note(key, untilMs, { action: "token.refused", object: key, requestId: "r1" });
    }
  }
  const told = () =>
    recorded.map(({ object, count, requestId }) => `${object ?? "others"} ${count ?? 1} ${requestId}`);

  it("records the first at once, with its request, and then how many followed", async () => {
    note("a", 4);
    expect(told()).to.deep.equal(["a 1 r1"]);

    await platform.advance(60_000);
    expect(told()).to.deep.equal(["a 1 r1", "a 3 null"]);
    await platform.advance(600_000);
    expect(told()).to.have.lengthOf(2);
  });

  it("goes on counting under the same key, and forgets it when its time is over", async () => {
    note("a", 1, 90_000);
    await platform.advance(60_000);
    note("a");
    await platform.advance(60_000);
    note("a");

    expect(told()).to.deep.equal(["a 1 r1", "a 1 null", "a 1 r1"]);
  });

  it("counts together what it cannot tell apart any more", async () => {
    for (const key of ["a", "b", "c", "d"]) note(key, 2);
    await platform.advance(60_000);

    expect(told()).to.deep.equal(["a 1 r1", "b 1 r1", "a 1 null", "b 1 null", "others 4 undefined"]);
  });

  it("tells what it has counted when it is closed", () => {
    note("a", 3);
    repeats.close();
    expect(told()).to.deep.equal(["a 1 r1", "a 2 null"]);
  });
});
