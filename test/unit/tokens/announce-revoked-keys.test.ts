import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { type KeyAnnouncer, startKeyAnnouncer } from "../../../api/tokens/announce-revoked-keys.ts";
import { type KeySet, parseKeys } from "../../../api/tokens/keys.ts";
import { dependencyUnavailable } from "../../../shared/errors.ts";
import { silentLog } from "../../../shared/log.ts";
import { freshJwk, setOf } from "../../support/jwks.ts";
import { appliedRow } from "../../support/ledger-rows.ts";
import { createManualPlatform, type ManualPlatform } from "../../support/manual-clock.ts";

const minuteMs = 60_000;

describe("announcing that a signing key is compromised", () => {
  let platform: ManualPlatform;
  let good: KeySet;
  let bad: KeySet;
  let listed: KeySet["listed"];
  let rows: Set<string>;
  let isLedgerAway: boolean;
  let foundSource: string | null;
  let published: number;
  let announcer: KeyAnnouncer;

  beforeEach(async () => {
    platform = createManualPlatform();
    const [one, two] = await Promise.all([freshJwk("one"), freshJwk("two")]);
    good = await parseKeys(setOf(two, one));
    bad = await parseKeys(setOf(two, { ...one, "quash:compromised_at": "2026-01-15T12:00:00Z" }));
    listed = good.listed;
    rows = new Set();
    isLedgerAway = false;
    foundSource = null;
    published = 0;
  });
  afterEach(() => announcer.close());

  async function orAway<T>(answer: () => T): Promise<T> {
    if (isLedgerAway) throw dependencyUnavailable("mongodb", new Error("away"));
    return answer();
  }
  /** The row is what counts here, not what is in it. */
  function start(): void {
    announcer = startKeyAnnouncer({
      ...platform,
      keys: {
        get listed() {
          return listed;
        },
      },
      ledger: {
        find: (eventId) =>
          orAway(() => (foundSource === null ? null : appliedRow({ eventId, source: foundSource }))),
        insertPending: (given) => orAway(() => given.forEach(({ eventId }) => rows.add(eventId))),
      },
      eventLog: {
        publish: () => {
          published += 1;
          return Promise.reject(dependencyUnavailable("kafka", new Error("away")));
        },
      },
      namespace: "test",
      log: silentLog,
    });
  }

  for (const [source, times] of [
    ["/quash/test", 0],
    ["/hr", 1],
  ] as const) {
    it(`says it ${times} times where the ledger has its row from ${source}`, async () => {
      foundSource = source;
      listed = bad.listed;
      start();
      await platform.settle();
      expect(published).to.equal(times);
    });
  }

  it("says nothing while no key is, and says so as soon as one is", async () => {
    start();
    await platform.advance(5 * minuteMs);
    expect(published).to.equal(0);
    listed = bad.listed;
    announcer.wake();
    await platform.settle();
    expect([rows.size, published]).to.deep.equal([1, 1]);
  });

  it("tries again until the ledger has its row, whatever Kafka says", async () => {
    isLedgerAway = true;
    listed = bad.listed;
    start();
    await platform.advance(minuteMs);
    expect([rows.size, published]).to.deep.equal([0, 0]);
    isLedgerAway = false;
    await platform.advance(5_000);
    expect([rows.size, published]).to.deep.equal([1, 1]);
  });

  it("says it anew, under the same id, when its row has gone", async () => {
    listed = bad.listed;
    start();
    await platform.advance(3 * minuteMs);
    expect(published).to.be.above(2);
    expect(rows.size).to.equal(1);
  });
});
