import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { CheckedClaims } from "../../api/blacklist/blacklist.ts";
import type { BlacklistFeed } from "../../api/blacklist/blacklist-feed.ts";
import {
  type ClosingReason,
  createOpenConnections,
  type OpenConnections,
} from "../../api/blacklist/connections.ts";
import { silentLog } from "../../shared/log.ts";
import type { Timers } from "../../shared/ports/platform.ts";
import { createFeedWorld, type FeedWorld } from "./feed-world.ts";

describe("open connections", () => {
  let world: FeedWorld;
  let feed: BlacklistFeed;
  let connections: OpenConnections;
  let checks: number;
  let timersRunning: number;
  let closed: [user: string, reason: ClosingReason][];

  beforeEach(async () => {
    world = await createFeedWorld();
    await world.repair("first");
    feed = await world.start();
    const { platform, fingerprint } = world;
    closed = [];
    checks = 0;
    timersRunning = 0;
    const blacklist = {
      ...world.blacklist,
      isRevoked(claims: CheckedClaims) {
        checks += 1;
        return world.blacklist.isRevoked(claims);
      },
    };
    const timers: Timers = {
      ...platform.timers,
      after(delayMs, callback) {
        timersRunning += 1;
        const cancel = platform.timers.after(delayMs, callback);
        return () => {
          timersRunning -= 1;
          cancel();
        };
      },
    };
    connections = createOpenConnections({
      ...platform,
      timers,
      blacklist,
      feed,
      fingerprint,
      log: silentLog,
    });
  });
  afterEach(() => {
    connections.close();
    return world.close();
  });

  const open = async (user: string) => {
    const cancel = connections.register({ claims: world.claims(user) }, (reason) =>
      closed.push([user, reason]),
    );
    await world.platform.settle();
    return cancel;
  };

  it("are closed as soon as the cut-off of their subject is enforced, and no others are", async () => {
    await open("alice");
    await open("bob");
    await world.deactivate("alice");
    await world.platform.settle();

    expect(closed).to.deep.equal([["alice", "revoked"]]);
    expect(connections.size).to.equal(1);
  });

  it("are closed as soon as the revocation of their token is enforced", async () => {
    await open("alice");
    await open("bob");
    await world.worker.add([world.tokenRevocation("bob")]);
    await world.platform.settle();

    expect(closed).to.deep.equal([["bob", "revoked"]]);
  });

  it("are closed also when the closing of another one throws", async () => {
    connections.register({ claims: world.claims("alice") }, () => {
      throw new Error("broken");
    });
    await open("alice");
    await world.deactivate("alice");
    await world.platform.settle();

    expect(closed).to.deep.equal([["alice", "revoked"]]);
    expect(connections.size).to.equal(0);
  });

  it("all of one subject are closed together", async () => {
    for (let count = 0; count < 3; count += 1) await open("alice");
    await world.deactivate("alice");
    await world.platform.settle();

    expect(closed.map(([, reason]) => reason)).to.deep.equal(["revoked", "revoked", "revoked"]);
  });

  it("stay open under a cut-off that does not reach their epoch", async () => {
    const claims = { ...world.claims("alice"), epoch: 1 };
    connections.register({ claims }, (reason) => closed.push(["alice", reason]));
    await world.deactivate("alice");
    await world.platform.settle();

    expect(closed).to.deep.equal([]);
  });

  it("are closed when they were revoked before they were registered", async () => {
    await world.deactivate("alice");
    await world.platform.settle();
    await open("alice");

    expect(closed).to.deep.equal([["alice", "revoked"]]);
  });

  it("are closed by a load, too", async () => {
    await open("alice");
    world.server.wipe();
    await world.repair("second", world.cutOff("alice"));
    await world.platform.advance(1_500);

    expect(closed).to.deep.equal([["alice", "revoked"]]);
  });

  it("are closed when the instance goes stale", async () => {
    await open("alice");
    world.server.setAvailable(false);
    await world.platform.advance(5_001);

    expect(closed).to.deep.equal([["alice", "stale"]]);
  });

  it("are closed at once when registered with an instance that is stale", async () => {
    world.platform.suspend(60_000);
    await open("alice");

    expect(closed).to.deep.equal([["alice", "stale"]]);
  });

  it("are closed when the feed is", async () => {
    await open("alice");
    await feed.close();

    expect(closed).to.deep.equal([["alice", "shutting-down"]]);
  });

  it("are closed when their token expires, and not before", async () => {
    await open("alice");
    await world.platform.advance(899_999);
    expect(closed).to.deep.equal([]);

    await world.platform.advance(1);
    expect(closed).to.deep.equal([["alice", "expired"]]);
  });

  it("that ended by themselves are forgotten and never closed", async () => {
    await open("bob");
    const cancel = await open("alice");
    cancel();
    const checksBefore = checks;
    await world.deactivate("alice");
    await world.platform.settle();

    expect([connections.size, closed, checks - checksBefore, timersRunning]).to.deep.equal([1, [], 0, 1]);
  });

  it("that an addition cannot mean are not looked at", async () => {
    for (let user = 0; user < 20; user += 1) await open(`user ${user}`);
    const checksBefore = checks;
    await world.deactivate("user 7");
    await world.platform.settle();

    expect([closed.length, checks - checksBefore]).to.deep.equal([1, 1]);
  });

  it("of a route that is more lenient than the instance stay open for as long as that accepts", async () => {
    await feed.close();
    connections.close();
    const { platform, blacklist, fingerprint } = world;
    feed = await world.start({ routePolicies: ["best_effort"] });
    connections = createOpenConnections({ ...platform, blacklist, feed, fingerprint, log: silentLog });
    const claims = { ...world.claims("alice"), exp: world.claims("alice").exp + 86_400 };
    connections.register({ claims }, (reason) => closed.push(["strict", reason]));
    connections.register({ claims, policy: "best_effort" }, (reason) => closed.push(["lenient", reason]));
    world.server.setAvailable(false);
    await platform.advance(5_001);
    expect(closed).to.deep.equal([["strict", "stale"]]);

    await platform.advance(3_595_000);
    expect(closed).to.deep.equal([
      ["strict", "stale"],
      ["lenient", "stale"],
    ]);
  });

  it("that come after the instance began to drain are closed at once", async () => {
    connections.close();
    await open("alice");

    expect([closed, connections.size]).to.deep.equal([[["alice", "shutting-down"]], 0]);
  });

  it("are told of the closing after their registration has returned", async () => {
    await world.deactivate("alice");
    await world.platform.settle();
    const order: string[] = [];
    connections.register({ claims: world.claims("alice") }, () => order.push("closed"));
    order.push("registered");
    await world.platform.settle();

    expect(order).to.deep.equal(["registered", "closed"]);
  });
});
