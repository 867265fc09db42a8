import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import type { FreshnessView } from "../../../api/blacklist/freshness-view.ts";
import { createReadiness, type Readiness } from "../../../api/readiness.ts";
import { createManualPlatform } from "../../support/manual-clock.ts";

const startMs = Date.UTC(2026, 0, 15, 12);
const fresh: FreshnessView = {
  state: "fresh",
  sinceMs: startMs,
  stalenessMs: 10,
  missing: null,
  isClosed: false,
};

describe("readiness", () => {
  let view: FreshnessView;
  let missing: string[];
  let drainingSinceMs: number | null;
  let readiness: Readiness;

  beforeEach(async () => {
    const platform = createManualPlatform(startMs);
    view = fresh;
    missing = [];
    drainingSinceMs = null;
    readiness = createReadiness({
      clock: platform.clock,
      feed: { freshness: () => view },
      setup: { missing: () => missing },
      drainingSinceMs: () => drainingSinceMs,
    });
    await platform.advance(60_000);
  });

  it("is there while the view is fresh, everything is set up, and nobody asked it to end", () => {
    expect(readiness().isReady).to.equal(true);
    expect(readiness().checks["setup"]).to.deep.equal({ status: "ok", detail: null, since: null });
  });

  it("names each part that is not set up yet, and the start since when it waits for it", () => {
    missing = ["the database", "the topics"];
    const { isReady, checks } = readiness();
    expect(isReady).to.equal(false);
    expect(checks["setup"]).to.deep.equal({
      status: "unavailable",
      detail: "waiting for the database and the topics",
      since: "2026-01-15T12:00:00.000Z",
    });
  });

  it("names what the view lacks, and since when", () => {
    view = { ...fresh, state: "stale", missing: "store", sinceMs: startMs + 5_000 };
    const { isReady, checks } = readiness();
    expect(isReady).to.equal(false);
    expect(checks["replica"]?.detail).to.match(/^stale: .*redis/);
    expect(checks["replica"]?.since).to.equal("2026-01-15T12:00:05.000Z");
  });

  it("says that it shuts down, and since when", () => {
    drainingSinceMs = startMs + 30_000;
    const { isReady, checks } = readiness();
    expect(isReady).to.equal(false);
    expect(checks["process"]?.since).to.equal("2026-01-15T12:00:30.000Z");
  });
});
