import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { FailureCounters } from "../../shared/ports/failure-counters.ts";
import { eventually } from "../support/eventually.ts";

export interface CountersFixture {
  /** Of the same server, each time. */
  connect(): Promise<FailureCounters>;
  close(): Promise<void>;
}

export function failureCountersContract(title: string, open: () => Promise<CountersFixture>): void {
  describe(`${title}: failure counters`, () => {
    let fixture: CountersFixture;
    let counters: FailureCounters;

    beforeEach(async () => {
      fixture = await open();
      counters = await fixture.connect();
    });
    afterEach(() => fixture.close());

    it("count from nothing, key by key", async () => {
      const counter = counters.open("account", 60);
      expect(await counter.read("a")).to.deep.equal({ failures: 0, resetsInMs: 0 });
      expect((await counter.add("a")).failures).to.equal(1);
      expect((await counter.add("a")).failures).to.equal(2);
      expect((await counter.read("a")).failures).to.equal(2);
      expect((await counter.read("b")).failures).to.equal(0);
    });

    it("count each one of many at once", async () => {
      const counter = counters.open("account", 60);
      const counts = await Promise.all(Array.from({ length: 20 }, () => counter.add("a")));
      expect(counts.map(({ failures }) => failures).toSorted((a, b) => a - b)).to.deep.equal(
        Array.from({ length: 20 }, (_, index) => index + 1),
      );
    });

    it("tell how long the window lasts, which a further failure does not lengthen", async () => {
      const counter = counters.open("account", 60);
      const first = await counter.add("a");
      expect(first.resetsInMs).to.be.within(1, 60_000);
      expect((await counter.add("a")).resetsInMs).to.be.at.most(first.resetsInMs);
    });

    it("forget a key when its window ends", async () => {
      const counter = counters.open("account", 1);
      await counter.add("a");
      await eventually(async () => expect((await counter.read("a")).failures).to.equal(0));
      expect((await counter.add("a")).failures).to.equal(1);
    });

    it("are the same for everybody who opens them", async () => {
      const elsewhere = await fixture.connect();
      await counters.open("account", 60).add("a");
      expect((await elsewhere.open("account", 60).add("a")).failures).to.equal(2);
      expect((await counters.open("account", 60).read("a")).failures).to.equal(2);
    });

    it("keep sets of different names apart", async () => {
      await counters.open("account", 60).add("a");
      expect((await counters.open("address", 60).read("a")).failures).to.equal(0);
    });
  });
}
