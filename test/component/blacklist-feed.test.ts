import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { BlacklistFeed } from "../../api/blacklist/blacklist-feed.ts";
import { dependencyUnavailable } from "../../shared/errors.ts";
import type { Announcement } from "../../shared/ports/revocation-store.ts";
import { createPosition } from "../../shared/revocation/position.ts";
import { createFeedWorld, type FeedWorld } from "./feed-world.ts";

const soonMs = 20;

describe("blacklist feed", () => {
  let world: FeedWorld;
  beforeEach(async () => {
    world = await createFeedWorld();
  });
  afterEach(() => world.close());

  describe("at the start", () => {
    it("accepts nothing before a worker has prepared the store, under either policy, and says so", async () => {
      const feed = await world.start();
      await world.platform.advance(3_000);

      expect(feed.freshness()).to.include({ state: "cold", missing: "incarnation", stalenessMs: null });
      expect([feed.isAccepting("strict"), feed.isAccepting("best_effort")]).to.deep.equal([false, false]);
      expect(world.wire.reports).to.deep.equal([]);
    });

    it("accepts nothing while the store does not answer, and accepts soon after it does", async () => {
      await world.repair("first");
      world.server.setAvailable(false);
      const feed = await world.start();
      await world.platform.advance(30_000);
      expect(feed.freshness()).to.include({ state: "cold", missing: "store" });

      world.server.setAvailable(true);
      await world.platform.advance(500);
      expect(feed.isAccepting()).to.equal(true);
    });

    it("listens before it loads, and enforces what the store held", async () => {
      await world.repair("first");
      await world.deactivate("alice");
      const feed = await world.start();
      await feed.whenAccepting();

      expect(world.wire.calls).to.deep.equal(["subscribe", "load", "sync"]);
      expect([world.isRefused("alice"), world.isRefused("bob")]).to.deep.equal([true, false]);
      expect(feed.freshness()).to.include({ state: "fresh", missing: null });
      expect(world.events("replica.loaded")).to.equal(1);
    });

    it("accepts nothing after the load until a sync has registered it", async () => {
      await world.repair("first");
      world.wire.onSync = () => new Promise(() => undefined);
      const feed = await world.start();

      expect(world.wire.calls.at(-1)).to.equal("sync");
      expect([feed.incarnation, feed.isAccepting()]).to.deep.equal(["first", false]);
    });

    it("misses nothing that is added while it loads", async () => {
      await world.repair("first");
      await world.deactivate("alice");
      world.server.dropAnnouncements(() => true);
      let added = 0;
      world.wire.onLoad = async () => {
        added += 1;
        await world.deactivate(`late ${added}`);
      };
      const feed = await world.start();
      await feed.whenAccepting();

      expect(added).to.equal(2);
      expect(["alice", "late 1", "late 2"].map(world.isRefused)).to.deep.equal([true, true, true]);
      expect(feed.position).to.equal((await world.worker.readState()).head);
    });

    it("begins the load again when the store was repaired in the middle of it", async () => {
      await world.repair("first");
      world.wire.onLoad = async () => {
        world.wire.onLoad = () => Promise.resolve();
        await world.repair("second");
      };
      const feed = await world.start();
      await world.platform.advance(500);

      expect(world.wire.calls.filter((call) => call === "load")).to.have.length(2);
      expect([feed.incarnation, feed.isAccepting()]).to.deep.equal(["second", true]);
    });

    for (const answered of [0, 1]) {
      it(`begins the load again when it is not answered after ${answered} chunks`, async () => {
        await world.repair("first");
        await world.deactivate("alice");
        let chunks = 0;
        world.wire.onLoad = () => {
          chunks += 1;
          return chunks % 2 === (answered + 1) % 2 ? new Promise(() => undefined) : Promise.resolve();
        };
        const feed = await world.start();
        await world.platform.advance(10_000);
        expect(feed.freshness()).to.include({ state: "cold", missing: "snapshot" });

        world.wire.onLoad = () => Promise.resolve();
        await world.platform.advance(3_500);
        expect(feed.isAccepting()).to.equal(true);
      });
    }

    it("accepts nothing while the fence is not known to cover it, says so, and asks again soon", async () => {
      await world.repair("first");
      const feed = await world.start({
        tokenLifetimeSeconds: 3_600,
        maxStalenessMs: 60_000,
        syncIntervalMs: 30_000,
      });
      await world.platform.advance(10_000);
      expect(feed.freshness()).to.include({ state: "cold", missing: "longest" });
      expect(world.wire.reports.length).to.be.within(10, 60);

      await world.worker.confirmLongest({ tokenLifetimeSeconds: 3_600, maxStalenessMs: 60_000, version: 2 });
      await world.platform.advance(600);
      expect(feed.isAccepting()).to.equal(true);
      expect(feed.freshness()).to.include({ state: "fresh", missing: null });
    });

    it("tells the longest values of all instances with each lease that it is given", async () => {
      await world.repair("first");
      const told: number[] = [];
      await world.start({ onLongest: ({ tokenLifetimeSeconds }) => void told.push(tokenLifetimeSeconds) });
      await world.worker.confirmLongest({ tokenLifetimeSeconds: 3_600, maxStalenessMs: 5_000, version: 2 });
      await world.platform.advance(1_100);
      expect(new Set(told)).to.deep.equal(new Set([900, 3_600]));
    });
  });

  describe("following", () => {
    beforeEach(() => world.repair("first"));

    const syncsSince = async (act: () => Promise<void>) => {
      const before = world.wire.reports.length;
      await act();
      return world.wire.reports.length - before;
    };

    it("enforces an announced addition before it syncs", async () => {
      await world.start();
      const syncs = await syncsSince(async () => {
        await world.deactivate("alice");
        await world.platform.settle();
      });

      expect([world.isRefused("alice"), syncs]).to.deep.equal([true, 0]);
    });

    it("enforces what was announced to nobody within one interval", async () => {
      await world.start();
      world.server.dropAnnouncements(() => true);
      await world.deactivate("alice");
      await world.platform.advance(900);
      expect(world.isRefused("alice")).to.equal(false);

      await world.platform.advance(200);
      expect(world.isRefused("alice")).to.equal(true);
    });

    it("syncs at once when an announcement shows that one before it was lost", async () => {
      await world.start();
      world.wire.onAnnouncement = () => void (world.wire.onAnnouncement = (deliver, a) => deliver(a));
      await world.deactivate("alice");
      await world.deactivate("bob");
      await world.platform.settle();
      expect([world.isRefused("alice"), world.isRefused("bob")]).to.deep.equal([false, false]);

      await world.platform.advance(1);
      expect([world.isRefused("alice"), world.isRefused("bob")]).to.deep.equal([true, true]);
    });

    it("syncs at once when announcements may have been lost with a connection", async () => {
      await world.start();
      world.server.dropAnnouncements(() => true);
      await world.deactivate("alice");
      world.server.setAvailable(false);
      world.server.setAvailable(true);
      await world.platform.advance(1);

      expect(world.isRefused("alice")).to.equal(true);
    });

    it("passes over announcements that come twice", async () => {
      const feed = await world.start();
      world.wire.onAnnouncement = (deliver, announcement) => {
        deliver(announcement);
        deliver(announcement);
      };
      const syncs = await syncsSince(async () => {
        await world.deactivate("alice");
        await world.deactivate("bob");
        await world.platform.advance(1);
      });

      expect(syncs).to.equal(0);
      expect(feed.position).to.equal((await world.worker.readState()).head);
    });

    it("ends at the head when announcements change places", async () => {
      const feed = await world.start();
      const held: Announcement[] = [];
      world.wire.onAnnouncement = (_deliver, announcement) => void held.push(announcement);
      for (const user of ["alice", "bob", "carol"]) await world.deactivate(user);
      await world.platform.settle();
      for (const announcement of held.toReversed()) world.wire.announce(announcement);
      await world.platform.advance(soonMs);

      expect(["alice", "bob", "carol"].map(world.isRefused)).to.deep.equal([true, true, true]);
      expect(feed.position).to.equal((await world.worker.readState()).head);
    });

    it("takes no announcement of another incarnation for the next one", async () => {
      const feed = await world.start();
      world.wire.onAnnouncement = (deliver, announcement) =>
        deliver({ ...announcement, incarnation: "another" });
      await world.deactivate("alice");
      await world.platform.settle();

      expect(world.isRefused("alice")).to.equal(false);
      await world.platform.advance(1);
      expect([world.isRefused("alice"), feed.incarnation]).to.deep.equal([true, "first"]);
    });

    it("takes an answer that announcements have overtaken for what it is", async () => {
      const feed = await world.start();
      world.wire.onSync = async (call) => {
        world.wire.onSync = (next) => next();
        await world.deactivate("alice");
        await world.platform.settle();
        return call();
      };
      await world.platform.advance(1_100);

      expect(feed.position).to.equal((await world.worker.readState()).head);
      expect([world.isRefused("alice"), world.events("replica.reload")]).to.deep.equal([true, 0]);
    });

    it("makes no storm of calls of the announcements that come while syncs fail", async () => {
      await world.start();
      world.wire.onSync = () => Promise.reject(dependencyUnavailable("redis", new Error("away")));
      world.wire.onAnnouncement = () => void (world.wire.onAnnouncement = (deliver, a) => deliver(a));
      const syncs = await syncsSince(async () => {
        for (let user = 0; user < 300; user += 1) {
          await world.deactivate(`user ${user}`);
          await world.platform.advance(1);
        }
      });

      expect(syncs).to.be.within(1, 10);
    });

    it("drops what has expired", async () => {
      await world.start({ syncIntervalMs: 60_000, maxStalenessMs: 300_000 });
      await world.deactivate("alice");
      await world.platform.advance(15 * 60_000);
      expect(world.blacklist.entries).to.equal(1);

      await world.platform.advance(20 * 60_000 + 60_000);
      expect(world.blacklist.entries).to.equal(0);
    });

    it("is not proved fresh by a store that is behind what it has reported", async () => {
      const feed = await world.start();
      await world.deactivate("alice");
      await world.platform.advance(soonMs);
      world.wire.onLoad = () => new Promise(() => undefined);
      world.wire.onSync = async (call) => ({ ...(await call()), head: createPosition(1, 0), entries: [] });
      await world.platform.advance(1_500);

      expect(feed.freshness().stalenessMs).to.be.above(1_000);
      expect(feed.freshness().missing).to.equal("snapshot");
    });

    it("loads again when the store is behind what it has reported", async () => {
      const feed = await world.start();
      await world.deactivate("alice");
      await world.platform.advance(soonMs);
      world.wire.onSync = async (call) => {
        world.wire.onSync = (next) => next();
        return { ...(await call()), head: createPosition(1, 0), entries: [] };
      };
      await world.platform.advance(1_100);

      expect(world.wire.calls.filter((call) => call === "load")).to.have.length(2);
      expect(feed.isAccepting()).to.equal(true);
    });

    it("reports a position soon after reaching it, many in one call", async () => {
      await world.start();
      const syncs = await syncsSince(async () => {
        for (let user = 0; user < 50; user += 1) await world.deactivate(`user ${user}`);
        await world.platform.advance(soonMs);
      });

      expect(syncs).to.equal(1);
      expect(await world.registered()).to.include({
        position: (await world.worker.readState()).head,
        entries: 50,
      });
    });

    it("reports what a sync brought soon after, too", async () => {
      await world.start();
      world.server.dropAnnouncements(() => true);
      await world.deactivate("alice");
      await world.platform.advance(1_000 + soonMs);

      expect((await world.registered())?.position).to.equal((await world.worker.readState()).head);
    });

    it("catches up with more than one answer holds, and is fresh only at the head", async () => {
      const feed = await world.start();
      world.server.dropAnnouncements(() => true);
      for (let user = 0; user < 1_200; user += 1) await world.deactivate(`user ${user}`);
      await world.platform.advance(1_000 + soonMs);

      expect(feed.position).to.equal((await world.worker.readState()).head);
      expect(world.blacklist.entries).to.equal(1_200);
    });

    for (const [what, limit] of [
      ["all that it lacks", 100],
      ["a part of what it lacks", 1],
    ] as const) {
      it(`loads again when the feed was trimmed past ${what}`, async () => {
        const feed = await world.start();
        world.server.dropAnnouncements(() => true);
        for (const user of ["alice", "bob", "carol"]) await world.deactivate(user);
        await world.platform.advance(10);
        await world.worker.trimFeed(0, limit);
        await world.platform.advance(1_010);

        expect(["alice", "bob", "carol"].map(world.isRefused)).to.deep.equal([true, true, true]);
        expect(world.wire.calls.filter((call) => call === "load")).to.have.length(2);
        expect(feed.isAccepting()).to.equal(true);
      });
    }
  });

  describe("when the store has lost or changed its contents", () => {
    let feed: BlacklistFeed;
    beforeEach(async () => {
      await world.repair("first");
      feed = await world.start();
      await world.deactivate("alice");
      await world.platform.settle();
    });

    it("keeps every entry and renews no lease from a wiped one", async () => {
      world.server.wipe();
      await world.platform.advance(4_000);
      expect(feed.freshness()).to.include({ state: "fresh", missing: "incarnation" });

      await world.platform.advance(2_000);
      expect([feed.isAccepting(), world.isRefused("alice")]).to.deep.equal([false, true]);
      expect(feed.freshness()).to.include({ state: "stale", missing: "incarnation" });
      expect(world.events("replica.reload")).to.equal(0);
    });

    it("merges what a new incarnation holds into what it has, and follows it", async () => {
      world.server.wipe();
      await world.platform.advance(6_000);
      await world.repair("second", world.cutOff("bob"));
      await world.platform.advance(1_500);
      await world.deactivate("carol");
      await world.platform.settle();

      expect(["alice", "bob", "carol"].map(world.isRefused)).to.deep.equal([true, true, true]);
      expect([feed.incarnation, feed.isAccepting()]).to.deep.equal(["second", true]);
    });

    it("is not renewed by a fail-over before its repair, though the incarnation survived", async () => {
      world.server.failOver();
      await world.platform.advance(6_000);
      expect(feed.isAccepting()).to.equal(false);

      await world.repair("second");
      await world.platform.advance(1_500);
      expect([feed.isAccepting(), feed.incarnation]).to.deep.equal([true, "second"]);
    });
  });

  describe("loading again under another incarnation", () => {
    /** By a chance of 0.8: of the 250 ms at most. */
    const spreadMs = 200;
    let feed: BlacklistFeed;
    beforeEach(async () => {
      await world.repair("first");
      const randomness = { ...world.platform.randomness, fraction: () => 0.8 };
      feed = await world.start({ randomness });
      world.server.wipe();
    });

    const loads = () => world.wire.calls.filter((call) => call === "load").length;
    /** An announcement makes the sync that learns of it due at once. */
    const learn = async () => {
      await world.repair("second", world.cutOff("bob"));
      await world.deactivate("carol");
      await world.platform.advance(1);
    };

    it("begins after a moment of chance, whatever is announced meanwhile", async () => {
      await learn();
      await world.deactivate("dave");
      await world.platform.advance(spreadMs - 10);
      expect([loads(), feed.isAccepting()]).to.deep.equal([1, true]);

      await world.platform.advance(20);
      expect([loads(), feed.incarnation]).to.deep.equal([2, "second"]);
      expect(["bob", "carol", "dave"].map(world.isRefused)).to.deep.equal([true, true, true]);
    });

    it("accepts nothing in that moment where the lease has run out", async () => {
      await world.platform.advance(6_000);
      await learn();
      await world.platform.advance(spreadMs - 10);
      expect([loads(), feed.isAccepting()]).to.deep.equal([1, false]);

      await world.platform.advance(20);
      expect(feed.isAccepting()).to.equal(true);
    });

    it("is closed in that moment without loading", async () => {
      await learn();
      const closing = feed.close();
      await world.platform.settle();
      await closing;

      expect(loads()).to.equal(1);
    });
  });

  describe("freshness", () => {
    beforeEach(() => world.repair("first"));

    it("lasts for the greatest staleness from the sending of the last sync, and not longer", async () => {
      const feed = await world.start();
      world.server.setAvailable(false);
      await world.platform.advance(5_000);
      expect(feed.isAccepting()).to.equal(true);

      await world.platform.advance(1);
      expect(feed.isAccepting()).to.equal(false);
    });

    it("counts from the sending of a sync that was answered slowly", async () => {
      const feed = await world.start();
      world.wire.onSync = async (call) => {
        await world.platform.timers.sleep(2_000);
        return call();
      };
      await world.platform.advance(3_010);

      expect(feed.freshness().stalenessMs).to.be.within(2_000, 2_020);
    });

    it("does not come from an answer that came after its deadline", async () => {
      const feed = await world.start();
      world.wire.onSync = async (call) => {
        await world.platform.timers.sleep(4_000);
        return call();
      };
      await world.platform.advance(5_100);

      expect(feed.isAccepting()).to.equal(false);
    });

    it("does not come from announcements alone", async () => {
      const feed = await world.start();
      world.wire.onSync = () => new Promise(() => undefined);
      for (let second = 0; second < 6; second += 1) {
        await world.deactivate(`user ${second}`);
        await world.platform.advance(1_000);
      }

      expect([world.isRefused("user 5"), feed.isAccepting()]).to.deep.equal([true, false]);
    });

    it("is gone on the first question after a suspension", async () => {
      const feed = await world.start();
      world.platform.suspend(6_000);
      expect(feed.isAccepting()).to.equal(false);

      await world.platform.advance(1_100);
      expect(feed.isAccepting()).to.equal(true);
    });

    it("is not lengthened by a wall clock that was set back", async () => {
      const feed = await world.start();
      world.server.setAvailable(false);
      world.platform.stepWall(-3_600_000);
      await world.platform.advance(5_001);

      expect(feed.isAccepting()).to.equal(false);
    });

    it("ends when syncs are never answered, and comes back when they are", async () => {
      const feed = await world.start();
      world.wire.onSync = () => new Promise(() => undefined);
      await world.platform.advance(6_000);
      expect(feed.freshness()).to.include({ state: "stale", missing: "store" });

      world.wire.onSync = (call) => call();
      await world.platform.advance(3_000);
      expect(feed.freshness()).to.include({ state: "fresh", missing: null });
    });

    it("is never proved by a sync whose head was not reached", async () => {
      const feed = await world.start();
      world.wire.onSync = async (call) => ({ ...(await call()), head: createPosition(9e15, 0) });
      await world.platform.advance(6_000);

      expect(feed.isAccepting()).to.equal(false);
    });

    it("is told once when it ends and once when it comes back, however often the store is asked", async () => {
      await world.start();
      for (let outage = 0; outage < 2; outage += 1) {
        world.server.setAvailable(false);
        await world.platform.advance(20_000);
        world.server.setAvailable(true);
        await world.platform.advance(1_000);
      }

      expect(["replica.stale", "replica.store-back"].map(world.events)).to.deep.equal([2, 2]);
      expect(world.logged.filter(({ level }) => level === "warn")).to.have.length(4);
      expect(world.events("replica.fresh")).to.equal(3);
    });

    it("tells its end to who listens, without anybody asking", async () => {
      const feed = await world.start();
      let ends = 0;
      feed.onRefusing(() => void (ends += 1));
      world.server.setAvailable(false);
      await world.platform.advance(5_001);
      expect(ends).to.equal(1);

      await world.platform.advance(60_000);
      expect(ends).to.equal(1);
    });
  });

  describe("the policy", () => {
    beforeEach(() => world.repair("first"));

    it("best_effort registers an hour, and accepts for that long", async () => {
      const feed = await world.start({ policy: "best_effort" });
      expect((await world.registered())?.maxStalenessMs).to.equal(3_600_000);
      world.server.setAvailable(false);
      await world.platform.advance(3_600_000);
      expect([feed.isAccepting(), feed.freshness().state]).to.deep.equal([true, "stale"]);

      await world.platform.advance(1);
      expect(feed.isAccepting()).to.equal(false);
    });

    it("strict registers the greatest staleness, and no route accepts for longer that was not told of", async () => {
      const feed = await world.start();
      expect((await world.registered())?.maxStalenessMs).to.equal(5_000);
      world.server.setAvailable(false);
      await world.platform.advance(5_001);

      expect(feed.isAccepting("best_effort")).to.equal(false);
    });

    it("of a route may be more lenient than the instance's, which registers that then", async () => {
      const feed = await world.start({ routePolicies: ["best_effort"] });
      expect((await world.registered())?.maxStalenessMs).to.equal(3_600_000);
      world.server.setAvailable(false);
      await world.platform.advance(5_001);
      expect([feed.isAccepting(), feed.isAccepting("best_effort")]).to.deep.equal([false, true]);

      await world.platform.advance(3_595_000);
      expect(feed.isAccepting("best_effort")).to.equal(false);
    });

    it("of a route may be stricter than the instance's", async () => {
      const feed = await world.start({ policy: "best_effort" });
      world.server.setAvailable(false);
      await world.platform.advance(5_001);

      expect([feed.isAccepting("strict"), feed.isAccepting()]).to.deep.equal([false, true]);
    });
  });

  describe("closing", () => {
    beforeEach(() => world.repair("first"));

    it("stops accepting, signs off, stops listening, in this order", async () => {
      const feed = await world.start();
      let wasAccepting: boolean | undefined;
      world.wire.onSignOff = (call) => {
        wasAccepting = feed.isAccepting();
        return call();
      };
      await feed.close();

      expect(wasAccepting).to.equal(false);
      expect(world.wire.calls.slice(-2)).to.deep.equal(["signOff", "unsubscribe"]);
      expect((await world.registered())?.signedOffAtMs).to.be.a("number");
    });

    it("refuses at once, while a sync is still under way, and signs off after that", async () => {
      const feed = await world.start();
      world.wire.onSync = () => new Promise(() => undefined);
      await world.platform.advance(1_000);
      const closed = feed.close();
      expect([feed.isAccepting(), world.wire.calls.at(-1)]).to.deep.equal([false, "sync"]);

      await world.platform.advance(3_000);
      await closed;
      expect(world.wire.calls.filter((call) => call === "signOff")).to.have.length(1);
    });

    it("ends while the store is away, and asks it nothing any more", async () => {
      const feed = await world.start();
      world.server.setAvailable(false);
      await feed.close();
      const calls = world.wire.calls.length;
      await world.platform.advance(60_000);

      expect(world.wire.calls).to.have.length(calls);
    });

    it("sends no sync after a load that it ended in", async () => {
      let closed: Promise<void> | undefined;
      let feed: BlacklistFeed | undefined;
      world.wire.onLoad = async () => {
        await world.platform.timers.sleep(100);
        closed = feed?.close();
      };
      feed = await world.start();
      await world.platform.advance(200);
      await closed;

      expect(world.wire.calls).to.deep.equal(["subscribe", "load", "unsubscribe"]);
    });

    it("ends when the sign-off is never answered", async () => {
      const feed = await world.start();
      world.wire.onSignOff = () => new Promise(() => undefined);
      let hasEnded = false;
      void feed.close().then(() => (hasEnded = true));
      await world.platform.advance(3_000);

      expect([hasEnded, world.events("replica.sign-off-failed")]).to.deep.equal([true, 1]);
      expect(world.wire.calls.at(-1)).to.equal("unsubscribe");
    });

    it("needs no sign-off when it was never registered", async () => {
      world.server.setAvailable(false);
      const feed = await world.start();
      await feed.close();

      expect(world.wire.calls).to.not.include("signOff");
    });
  });
});
