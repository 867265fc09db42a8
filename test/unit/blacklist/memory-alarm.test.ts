import { expect } from "chai";
import { describe, it } from "mocha";
import { createMemoryAlarm } from "../../../api/blacklist/memory-alarm.ts";
import { silentLog } from "../../../shared/log.ts";

describe("memory alarm", () => {
  it("is raised once for each time that the ceiling is passed, and says when that is over", () => {
    const told: string[] = [];
    const blacklist = { bytes: 0, entries: 1 };
    const log = {
      ...silentLog,
      error: (event: string) => void told.push(event),
      info: (event: string) => void told.push(event),
    };
    const look = createMemoryAlarm({ blacklist, ceilingBytes: 100, log });
    for (const bytes of [100, 101, 200, 100, 101]) {
      blacklist.bytes = bytes;
      look();
    }
    expect(told).to.deep.equal([
      "blacklist.above-ceiling",
      "blacklist.below-ceiling",
      "blacklist.above-ceiling",
    ]);
  });
});
