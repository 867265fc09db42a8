import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "chai";
import { describe, it } from "mocha";
import { createOpenConnections } from "../../api/blacklist/connections.ts";
import { silentLog } from "../../shared/log.ts";
import type { Timers } from "../../shared/ports/platform.ts";
import { eventually } from "../support/eventually.ts";
import { type ApiWorld, createApiWorld, type TestApi } from "../support/test-api.ts";
import { createFeedWorld } from "./feed-world.ts";

const people = Array.from({ length: 10_000 }, (_, index) => `user ${index}`);

/** Timers that fire when the test says so, however many there are. */
function createHeldTimers() {
  const held = new Set<() => void>();
  const timers: Timers = {
    after(_delayMs, callback) {
      const one = () => callback();
      held.add(one);
      return () => void held.delete(one);
    },
    sleep: () => Promise.reject(new Error("nothing sleeps here")),
  };
  const fireAll = () => {
    const due = Array.from(held);
    held.clear();
    for (const fire of due) fire();
  };
  return { timers, held, fireAll };
}

describe("ten thousand connections", () => {
  async function setUp() {
    const world = await createFeedWorld();
    await world.repair("first");
    const feed = await world.start();
    const { platform, blacklist, fingerprint } = world;
    const { timers, held, fireAll } = createHeldTimers();
    const connections = createOpenConnections({
      ...platform,
      timers,
      blacklist,
      feed,
      fingerprint,
      log: silentLog,
    });
    const closed = new Map<string, number>();
    const openAll = async () => {
      const note = (reason: string) => void closed.set(reason, (closed.get(reason) ?? 0) + 1);
      const cancels = people.map((user) => connections.register({ claims: world.claims(user) }, note));
      await platform.settle();
      return cancels;
    };
    const left = () => ({ connections: connections.size, timers: held.size });
    return { world, connections, openAll, left, fireAll, closed };
  }

  it("leave no entry and no timer behind, whatever ends them", async () => {
    const { world, connections, openAll, left, fireAll, closed } = await setUp();
    const none = { connections: 0, timers: 0 };

    const cancels = await openAll();
    expect(left()).to.deep.equal({ connections: 10_000, timers: 10_000 });
    for (const cancel of cancels) cancel();
    expect(left()).to.deep.equal(none);

    await openAll();
    world.platform.stepWall(900_000);
    fireAll();
    expect([left(), closed.get("expired")]).to.deep.equal([none, 10_000]);

    await world.platform.advance(2_000);
    await openAll();
    world.server.setAvailable(false);
    await world.platform.advance(5_001);
    expect([left(), closed.get("stale")]).to.deep.equal([none, 10_000]);

    world.server.setAvailable(true);
    await world.platform.advance(5_000);
    await openAll();
    await world.worker.add(people.map((user) => world.cutOff(user)));
    await world.platform.settle();
    expect([left(), closed.get("revoked")]).to.deep.equal([none, 10_000]);

    connections.close();
    await world.close();
  });

  it("leave the heap as it was", async () => {
    const { world, connections, openAll } = await setUp();
    const openAndClose = async () => {
      for (const cancel of await openAll()) cancel();
      collectGarbage();
      return process.memoryUsage().heapUsed;
    };
    await openAndClose();
    const before = await openAndClose();
    for (let round = 0; round < 3; round += 1) await openAndClose();
    const grownBytes = (await openAndClose()) - before;

    // A connection that is kept takes more than 200 bytes.
    expect(grownBytes).to.be.below(40_000 * 50);
    connections.close();
    await world.close();
  });
});

describe("hundreds of event streams", () => {
  const streams = 300;

  async function openStreams(api: TestApi, token: string) {
    const headers = { authorization: `Bearer ${token}` };
    const opening = Array.from({ length: streams }, () => fetch(`${api.url}/me/stream`, { headers }));
    return Promise.all(opening);
  }
  const openStreamsOf = async (api: TestApi) => {
    const text = await (await fetch(`${api.url}/metrics`)).text();
    return /^revocation_open_streams (\d+)$/m.exec(text)?.[1];
  };

  it("are all closed by one revocation, and leave nothing behind", async () => {
    const world: ApiWorld = await createApiWorld();
    await world.startWorker();
    const api = await world.startApi();
    const admin = await api.signIn();
    const id = await api.createUser(admin, { email: "alice@example.com", password: "long enough" });
    const answers = await openStreams(api, await api.signIn("alice@example.com", "long enough"));
    expect(await openStreamsOf(api)).to.equal(String(streams));

    await api.call(`/users/${id}/deactivate`, { method: "POST", token: admin });
    const texts = await Promise.all(answers.map((answer) => answer.text()));

    expect(texts.filter((text) => /^event: revoked$/m.test(text))).to.have.length(streams);
    await eventually(async () => expect(await openStreamsOf(api)).to.equal("0"));
    await world.close();
  });
});

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect === "function") collect();
}
