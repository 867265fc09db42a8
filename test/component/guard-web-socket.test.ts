import { EventEmitter } from "node:events";
import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { BlacklistFeed } from "../../api/blacklist/blacklist-feed.ts";
import { createOpenConnections, type OpenConnections } from "../../api/blacklist/connections.ts";
import { createGuardWebSocket, type GuardedSocket } from "../../api/web-sockets/guard-web-socket.ts";
import { silentLog } from "../../shared/log.ts";
import { createFeedWorld, type FeedWorld } from "./feed-world.ts";

interface FakeSocket extends GuardedSocket {
  readonly calls: readonly unknown[];
  /** As after the closing handshake, or when its client has gone. */
  leave(): void;
}

function createSocket(): FakeSocket {
  const events = new EventEmitter();
  const calls: unknown[] = [];
  return {
    calls,
    close: (code, reason) => void calls.push([code, reason]),
    terminate: () => void calls.push("terminated"),
    once: (event, listener) => events.once(event, listener),
    leave: () => void events.emit("close"),
  };
}

describe("a guarded WebSocket", () => {
  let world: FeedWorld;
  let feed: BlacklistFeed;
  let connections: OpenConnections;

  beforeEach(async () => {
    world = await createFeedWorld();
    await world.repair("first");
    feed = await world.start();
    const { platform, blacklist, fingerprint } = world;
    connections = createOpenConnections({ ...platform, blacklist, feed, fingerprint, log: silentLog });
  });
  afterEach(() => {
    connections.close();
    return world.close();
  });

  async function open(user = "alice") {
    const guardWebSocket = createGuardWebSocket({ connections, timers: world.platform.timers });
    const socket = createSocket();
    const guard = guardWebSocket({ claims: world.claims(user) }, socket);
    await world.platform.settle();
    return { socket, guard };
  }

  it("stays open while its token is accepted", async () => {
    const { socket, guard } = await open();
    await world.deactivate("bob");
    await world.platform.advance(60_000);

    expect([socket.calls, guard.isAccepted()]).to.deep.equal([[], true]);
  });

  const endings: readonly [title: string, end: () => Promise<unknown>, code: number, reason: string][] = [
    ["its token is revoked", () => world.deactivate("alice"), 1008, "revoked"],
    ["its token expires", () => world.platform.advance(900_000), 1008, "expired"],
    [
      "the instance goes stale",
      () => {
        world.server.setAvailable(false);
        return world.platform.advance(5_001);
      },
      1013,
      "stale",
    ],
    ["the instance drains", async () => connections.close(), 1001, "shutting-down"],
  ];
  for (const [title, end, code, reason] of endings) {
    it(`is closed with ${code} ${reason} when ${title}, and is not accepted any more`, async () => {
      const { socket, guard } = await open();
      await end();
      await world.platform.settle();

      expect([socket.calls[0], guard.isAccepted()]).to.deep.equal([[code, reason], false]);
    });
  }

  it("is closed at once when it comes after the instance began to drain", async () => {
    connections.close();
    const { socket } = await open();

    expect(socket.calls).to.deep.equal([[1001, "shutting-down"]]);
  });

  it("is cut off when its client does not answer the close frame, and is left alone when it does", async () => {
    const [silent, polite] = [await open(), await open()];
    await world.deactivate("alice");
    await world.platform.advance(500);
    polite.socket.leave();
    await world.platform.advance(500);

    expect(silent.socket.calls).to.deep.equal([[1008, "revoked"], "terminated"]);
    expect(polite.socket.calls).to.deep.equal([[1008, "revoked"]]);
  });

  it("refuses a message that a suspended process finds in its buffers, before any timer has run", async () => {
    const { socket, guard } = await open();
    world.platform.suspend(60_000);

    expect(guard.isAccepted()).to.equal(false);
    expect(socket.calls).to.deep.equal([[1013, "stale"]]);
  });

  it("is closed only once, whoever notices first", async () => {
    const { socket, guard } = await open();
    world.platform.suspend(60_000);
    guard.isAccepted();
    await world.deactivate("alice");
    await world.platform.settle();
    guard.isAccepted();

    expect(socket.calls).to.deep.equal([[1013, "stale"]]);
  });

  it("is never closed after it has closed by itself, and nothing of it is kept", async () => {
    const { socket, guard } = await open();
    socket.leave();
    await world.deactivate("alice");
    await world.platform.advance(2_000);

    expect([socket.calls, guard.isAccepted(), connections.size]).to.deep.equal([[], false, 0]);
  });
});
